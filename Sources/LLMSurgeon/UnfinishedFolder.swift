import ExactJSON
import Foundation
import Tensors

/// A folder beside an output that keeps the work of a run until the output is complete.
///
/// It carries the settings of its run; a later run with the same settings goes on in it, one with
/// other settings is refused.
struct UnfinishedFolder {
  /// The folder.
  let url: URL
  /// Whether an earlier run left work in it.
  let isContinued: Bool

  private static let identityFile = "identity.json"

  /// Where the work for an output is kept.
  static func location(for output: URL) -> URL {
    output.deletingLastPathComponent()
      .appending(path: ".\(output.lastPathComponent).unfinished", directoryHint: .isDirectory)
  }

  /// Opens the folder of an output, or makes it.
  ///
  /// - Parameters:
  ///   - output: What will be complete one day.
  ///   - identity: Everything that decides what the run computes.
  /// - Throws: ``JobError/foreignRemains(path:)`` if another run's work is there, `FileError` if
  ///   the folder cannot be made.
  init(for output: URL, identity: JSONValue) throws {
    url = Self.location(for: output)
    let file = url.appending(path: Self.identityFile)
    let wanted = JSONWriter.write(identity, indent: 2)
    if FileManager.default.fileExists(atPath: url.path) {
      if let found = try? Data(contentsOf: file) {
        guard [UInt8](found) == wanted else {
          throw JobError.foreignRemains(path: url.relativePath)
        }
        isContinued = true
        return
      }
      // Nothing but what a run leaves that was stopped before it wrote its settings.
      let names = try FileManager.default.contentsOfDirectory(atPath: url.path)
      guard names.allSatisfy({ $0.hasPrefix(".") }) else {
        throw JobError.foreignRemains(path: url.relativePath)
      }
    } else {
      do {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
      } catch {
        throw JobError.unwritable(path: output.relativePath, reason: reason(of: error))
      }
    }
    isContinued = false
    try write(wanted, to: file.path)
  }

  /// Gives the folder its final name.
  ///
  /// - Parameter output: The name; what bears it now, the caller has decided to replace.
  /// - Throws: `JobError.unwritable` if it cannot be moved; what was there is still there then.
  func become(_ output: URL) throws {
    try? FileManager.default.removeItem(at: url.appending(path: Self.identityFile))
    let manager = FileManager.default
    let old = output.deletingLastPathComponent()
      .appending(path: ".\(output.lastPathComponent).replaced")
    do {
      let exists = manager.fileExists(atPath: output.path)
      if exists {
        try? manager.removeItem(at: old)
        try manager.moveItem(at: output, to: old)
      }
      try manager.moveItem(at: url, to: output)
      if exists { try? manager.removeItem(at: old) }
    } catch {
      throw JobError.unwritable(path: output.relativePath, reason: reason(of: error))
    }
  }

  /// Removes the folder when its work has gone into an output.
  func discard() { try? FileManager.default.removeItem(at: url) }
}

/// Writes a whole file, complete or not at all.
///
/// - Parameters:
///   - bytes: Its content.
///   - path: Its name.
/// - Throws: `FileError` naming the path and the reason.
func write(_ bytes: [UInt8], to path: String) throws {
  var file = try OutputFile(path)
  try file.write(bytes)
  try file.commit()
}

/// Refuses an output that would replace something the person did not mean.
///
/// - Parameters:
///   - output: The directory to write.
///   - mark: A file that a directory of this kind holds; only such a one is ever replaced.
///   - overwrite: Whether the person agreed to replace it.
/// - Throws: ``JobError/outputExists(path:)`` or ``JobError/outputIsForeign(path:mark:)``.
func checkOutput(_ output: URL, mark: String, overwrite: Bool) throws {
  guard FileManager.default.fileExists(atPath: output.path) else { return }
  // Nothing is listed for a file, so it is refused like a folder with content.
  let names = try? FileManager.default.contentsOfDirectory(atPath: output.path)
  if names?.isEmpty == true { return }
  guard overwrite else { throw JobError.outputExists(path: output.relativePath) }
  guard names?.contains(mark) == true else {
    throw JobError.outputIsForeign(path: output.relativePath, mark: mark)
  }
}

/// The reason of a Foundation error in a few words.
func reason(of error: any Error) -> String {
  let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
  if let underlying, underlying.domain == NSPOSIXErrorDomain {
    return FileError(.write, "it", code: Int32(underlying.code)).reason
  }
  return (error as NSError).localizedDescription
}
