import Foundation
import LinearAlgebra

/// Which kernels of OpenBLAS a program computes with.
///
/// The library chooses when it is loaded, which is before the first line of a program runs, and older
/// versions do not know recent processors: then they take kernels that are three times slower than
/// others they hold. A program that finds this starts itself again in the same process, with the
/// variable set that the library reads.
public enum KernelChoice: Sendable, Equatable {
  /// The best that the processor can run, unless the variable `OPENBLAS_CORETYPE` is set.
  case best
  /// What the library chooses by itself.
  case library
  /// The set of this name.
  case named(String)

  /// What a person asked for: the name of a set of kernels, `default` for the library's own choice, or
  /// nothing.
  public init(_ name: String?) {
    self =
      switch name {
      case nil: .best
      case "default"?: .library
      case let name?: .named(name)
      }
  }

  /// The kernels in use, such as `SkylakeX`.
  public static var inUse: String { BLASLibrary.kernels }

  /// Brings the choice about.
  ///
  /// Does not return if the program has to start again for it: process, arguments, and open files stay.
  /// Only for programs, before they read, write, or start threads of their own.
  ///
  /// - Throws: ``JobError/badSetting(_:)`` if the library has no kernels of the name that was asked for,
  ///   or the processor cannot run them.
  public func apply() throws {
    let environment = ProcessInfo.processInfo.environment
    let named = environment[BLASLibrary.variable]
    guard let wanted = wanted(named: named, inUse: Self.inUse, on: .current) else { return }
    let missing = Processor.current.missing(for: wanted)
    guard missing.isEmpty else {
      throw JobError.badSetting(
        "this processor cannot run the kernels '\(wanted)' (--blas-core): it lacks "
          + missing.joined(separator: ", ")
      )
    }
    // The library was asked for this name and took others.
    if named?.lowercased() == wanted.lowercased() { throw Self.unknown(wanted) }
    Self.startAgain(with: wanted)
    if case .named = self {
      throw JobError.badSetting(
        "this system does not let a program start again; set the variable "
          + "\(BLASLibrary.variable)=\(wanted) instead of --blas-core"
      )
    }
  }

  /// The kernels that the program should start again with.
  ///
  /// - Parameters:
  ///   - named: What the variable says.
  ///   - inUse: The kernels in use.
  ///   - processor: What the processor can do; not asked where that does not matter.
  /// - Returns: Their name; nil if all is as it should be.
  package func wanted(named: String?, inUse: String, on processor: @autoclosure () -> Processor)
    -> String?
  {
    switch self {
    case .library: return nil
    case .named(let name): return name.lowercased() == inUse.lowercased() ? nil : name
    case .best:
      guard Processor.mayBeBettered(inUse) else { return nil }
      let better = processor().betterKernels(than: inUse)
      guard let named else { return better.first }
      // A name of ours that the library did not take: it is too old for it, the next may do.
      guard named != inUse, let tried = better.firstIndex(of: named) else { return nil }
      return better.dropFirst(tried + 1).first
    }
  }

  /// Runs the program anew in this process; returns only if that is not possible.
  private static func startAgain(with kernels: String) {
    // SAFETY: both texts outlive the call, which copies them.
    guard unsafe setenv(BLASLibrary.variable, kernels, 1) == 0 else { return }
    // SAFETY: the argument vector of the process, which ends with a null pointer.
    _ = unsafe execv("/proc/self/exe", CommandLine.unsafeArgv)
  }
}
