public import Foundation

/// How a calibration keeps numbers between its passes.
public enum ScratchPrecision: String, Sendable, CaseIterable {
  /// Single precision: where they are kept changes no bit of the result.
  case float32 = "f32"
  /// Half the space; each kept number is rounded to eight significant bits, in memory too.
  case bfloat16 = "bf16"

  /// The bytes of a number.
  var byteCount: Int { self == .float32 ? 4 : 2 }
}

/// The memory that a calibration may take, and where it puts what does not fit.
public struct CalibrationMemory: Sendable, Equatable {
  /// The most resident memory, in bytes, the mapped weights not counted; nil for three quarters of
  /// what this process may have.
  public var limit: Int?
  /// The directory of the scratch file; nil for the place where the statistics are made.
  public var scratch: URL?
  /// How hidden states and gradients are kept between the passes.
  public var precision: ScratchPrecision

  /// Limits; the machine's own unless stated.
  public init(limit: Int? = nil, scratch: URL? = nil, precision: ScratchPrecision = .float32) {
    self.limit = limit
    self.scratch = scratch
    self.precision = precision
  }

  /// The limit in bytes.
  var bytes: Int { limit ?? Int(0.75 * Double(Self.machine)) }

  /// The limit in bytes of each of several processes of one machine; a limit that was set is of
  /// each.
  func bytes(sharedBy processes: Int) -> Int { limit ?? bytes / processes }

  /// The memory that this process may have: the machine's, or what its control group leaves it.
  private static let machine: Int = {
    let physical = Int(clamping: ProcessInfo.processInfo.physicalMemory)
    let group = try? String(contentsOfFile: "/sys/fs/cgroup/memory.max", encoding: .utf8)
    let most = group.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    return min(physical, most ?? physical)
  }()
}
