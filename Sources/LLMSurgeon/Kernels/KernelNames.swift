import Foundation
import LinearAlgebra

extension KernelChoice {
  /// Names of sets of kernels in OpenBLAS for 64-bit processors, from its list of targets.
  private static let candidates = [
    "Prescott", "Core2", "Nehalem", "Sandybridge", "Bulldozer", "Piledriver", "Steamroller",
    "Excavator", "Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids", "ARMV8", "CORTEXA57",
    "NEOVERSEN1", "NEOVERSEV1", "NEOVERSEN2",
  ]

  /// The error for a name that the library does not take, with those that it does.
  static func unknown(_ name: String) -> JobError {
    let names = candidates.filter(isKnown)
    let list = names.isEmpty ? "none by name" : names.joined(separator: ", ")
    return .badSetting(
      "\(BLASLibrary.version) has no kernels '\(name)' (--blas-core); here it takes \(list), or "
        + "'default' for its own choice, which is \(Self.inUse)"
    )
  }

  /// Whether the library takes a name: asks it in a process of its own, where it says what it took.
  private static func isKnown(_ name: String) -> Bool {
    let process = Process()
    process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["--version"]
    process.environment = ProcessInfo.processInfo.environment
      .merging([BLASLibrary.variable: name, "OPENBLAS_VERBOSE": "2"]) { $1 }
    let messages = Pipe()
    process.standardError = messages
    process.standardOutput = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    let text = String(
      decoding: messages.fileHandleForReading.readDataToEndOfFile(),
      as: UTF8.self
    )
    process.waitUntilExit()
    return text.split(separator: "\n").contains { $0.lowercased() == "core: \(name.lowercased())" }
  }
}
