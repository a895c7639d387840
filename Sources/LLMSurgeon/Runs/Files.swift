import Foundation
import Tensors

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

/// Makes a directory, and what is missing above it.
///
/// - Parameter url: The directory; it may exist.
/// - Throws: ``JobError/unwritable(path:reason:)``.
func makeDirectory(_ url: URL) throws {
  do {
    try StagingArea.making {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }
  } catch {
    throw JobError.unwritable(path: url.relativePath, reason: reason(of: error))
  }
}

/// Makes a directory in one that is there.
///
/// - Parameter url: The directory; it may exist.
/// - Throws: ``JobError/unwritable(path:reason:)``, also if the directory that it lies in is gone.
func makeOnlyDirectory(_ url: URL) throws {
  do {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
  } catch {
    // It was there, or another process was first.
    if FileManager.default.fileExists(atPath: url.path) { return }
    throw JobError.unwritable(path: url.relativePath, reason: reason(of: error))
  }
}

/// Refuses an output that would replace something the person did not mean.
///
/// - Parameters:
///   - output: The directory to write.
///   - mark: A file that a directory of this kind holds; only such a one is ever replaced.
///   - overwrite: Whether the person agreed to replace it.
/// - Throws: ``JobError/outputExists(path:)``, ``JobError/outputIsForeign(path:mark:)``, or
///   ``JobError/unwritable(path:reason:)`` for a symbolic link that leads nowhere.
func checkOutput(_ output: URL, mark: String, overwrite: Bool) throws {
  UnfinishedFolder.settle(output)
  guard FileManager.default.fileExists(atPath: output.path) else {
    return try checkIsNoLink(output)
  }
  // Nothing is listed for a file, so it is refused like a folder with content.
  let names = try? FileManager.default.contentsOfDirectory(atPath: output.path)
  if names?.isEmpty == true { return }
  guard overwrite else { throw JobError.outputExists(path: output.relativePath) }
  guard names?.contains(mark) == true else {
    throw JobError.outputIsForeign(path: output.relativePath, mark: mark)
  }
}

/// Refuses a symbolic link that leads nowhere.
///
/// - Throws: ``JobError/unwritable(path:reason:)``.
func checkIsNoLink(_ output: URL) throws {
  guard (try? FileManager.default.destinationOfSymbolicLink(atPath: output.path)) == nil else {
    let reason = "it is a symbolic link that leads nowhere"
    throw JobError.unwritable(path: output.relativePath, reason: reason)
  }
}

/// The reason of a Foundation error in a few words.
func reason(of error: any Error) -> String {
  if let error = error as? JobError, case .unwritable(_, let reason) = error { return reason }
  if let error = error as? FileError { return error.reason }
  // The operating system's own error is the innermost one.
  var innermost = error as NSError
  while let next = innermost.userInfo[NSUnderlyingErrorKey] as? any Error {
    innermost = next as NSError
  }
  guard innermost.domain == NSPOSIXErrorDomain else { return innermost.localizedDescription }
  return FileError(.write, "it", code: Int32(innermost.code)).reason
}

/// Refuses an output file that would replace something the person did not mean.
///
/// - Parameters:
///   - output: The file to write.
///   - mark: What files of this kind begin with; only such a one is ever replaced.
///   - overwrite: Whether the person agreed to replace it.
/// - Throws: ``JobError/outputExists(path:)``, ``JobError/outputIsForeign(path:mark:)``,
///   ``JobError/unwritable(path:reason:)`` for a symbolic link that leads nowhere, or what looking at
///   the file throws.
func checkOutputFile(_ output: URL, beginsWith mark: String, overwrite: Bool) throws {
  guard FileManager.default.fileExists(atPath: output.path) else {
    return try checkIsNoLink(output)
  }
  guard overwrite else { throw JobError.outputExists(path: output.relativePath) }
  let file = try MappedFile(output.path)
  guard file.count >= mark.utf8.count, file.copy(0..<mark.utf8.count) == Array(mark.utf8) else {
    throw JobError.outputIsForeign(path: output.relativePath, mark: "\(mark) header")
  }
}
