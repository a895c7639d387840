import ExactJSON
import Foundation
import Synchronization
import Tensors

/// A folder beside an output that keeps the work of a run until the output is complete.
///
/// It carries the settings of its run; a later run with the same settings goes on in it, one with
/// other settings is refused if there is work in it. One process at a time works in it, or the ranks of
/// one job, of which the first has opened it.
struct UnfinishedFolder {
  /// The folder.
  let url: URL
  private let madeParents: [URL]
  private let lock: FileLock

  private static let identityFile = "identity.json"
  private static let lockFile = "run.lock"
  /// The folders of this process that are not finished, and the folders that were made for them.
  private static let open = Mutex<[URL: [URL]]>([:])

  /// Where the work for an output is kept.
  static func location(for output: URL) -> URL {
    let named = place(of: output)
    return named.deletingLastPathComponent()
      .appending(path: ".\(named.lastPathComponent).unfinished", directoryHint: .isDirectory)
  }

  /// Opens the folder of an output, or makes it.
  ///
  /// - Parameters:
  ///   - output: What will be complete one day.
  ///   - identity: Everything that decides what the run computes.
  /// - Throws: ``JobError/foreignRemains(path:)`` if another run's work is there,
  ///   ``JobError/otherKernels(path:kernels:)`` if other kernels have computed it,
  ///   ``JobError/inUse(path:)`` if another process is working there,
  ///   ``JobError/unwritable(path:reason:)`` or `FileError` if the folder cannot be made.
  init(for output: URL, identity: JSONValue) throws {
    url = Self.location(for: output)
    madeParents = Self.missingParents(of: url)
    lock = try Self.enter(url, output, madeParents)
    if Self.isOpen(url, for: identity) {
      Self.removePartialFiles(in: url)
    } else {
      guard !Self.hasWork(url) else { throw Self.refusal(of: url, for: identity) }
      try begin(output, identity: Self.record(identity))
    }
    Self.open.withLock { $0[url] = madeParents }
  }

  /// Whether a folder is of the run with this identity, computed by the kernels that are in use.
  static func isOpen(_ folder: URL, for identity: JSONValue) -> Bool {
    found(in: folder) == record(identity)
  }

  /// What says whose a folder is; other kernels would end the run with other bytes.
  private static func record(_ identity: JSONValue) -> [UInt8] {
    JSONWriter.write(["kernels": JSONValue(KernelChoice.inUse), "run": identity], indent: 2)
  }

  private static func found(in folder: URL) -> [UInt8]? {
    (try? Data(contentsOf: folder.appending(path: identityFile))).map { [UInt8]($0) }
  }

  /// Why the work in a folder cannot be continued.
  private static func refusal(of folder: URL, for identity: JSONValue) -> JobError {
    let record = found(in: folder).flatMap { try? JSONParser.parse($0).object }
    guard let record, record["run"] == identity, let kernels = record["kernels"]?.string else {
      return .foreignRemains(path: folder.relativePath)
    }
    return .otherKernels(path: folder.relativePath, kernels: kernels)
  }

  /// Does the work of a run; if it fails before anything was done, nothing is left.
  ///
  /// - Parameter work: What is kept in the folder, and where it goes at the end.
  /// - Returns: What `work` returns.
  /// - Throws: What `work` throws.
  func run<Result>(_ work: () throws -> Result) throws -> Result {
    do { return try work() } catch {
      if !Self.hasWork(url) { discard() }
      throw error
    }
  }

  /// Gives the folder its final name.
  ///
  /// - Parameters:
  ///   - output: The name.
  ///   - mark: A file that every output of this kind holds.
  ///   - overwrite: Whether an older output may be replaced.
  /// - Throws: ``JobError`` if there is something by now that may not be replaced, or if the folder
  ///   cannot be moved; what was there is still there then, and so is the work.
  func become(_ output: URL, mark: String, overwrite: Bool) throws {
    // The work has taken its time.
    try checkOutput(output, mark: mark, overwrite: overwrite)
    let manager = FileManager.default
    let parent = url.deletingLastPathComponent()
    let output = Self.place(of: output)
    let old = Self.replaced(output)
    do {
      let exists = manager.fileExists(atPath: output.path)
      if exists {
        try? manager.removeItem(at: old)
        try manager.moveItem(at: output, to: old)
      }
      do { try manager.moveItem(at: url, to: output) } catch {
        if exists { try? manager.moveItem(at: old, to: output) }
        throw error
      }
    } catch {
      throw JobError.unwritable(path: output.relativePath, reason: reason(of: error))
    }
    // Only now: without its identity, a folder that is not finished could not be continued.
    Self.settle(output)
    for directory in [output, parent] {
      try? FileHandle(forReadingFrom: directory).synchronize()
    }
    close()
  }

  /// Completes what a process left that was killed while it gave an output its final name.
  ///
  /// - Parameter output: The output.
  static func settle(_ output: URL) {
    let manager = FileManager.default
    let output = place(of: output)
    let old = replaced(output)
    guard manager.fileExists(atPath: output.path) else {
      try? manager.moveItem(at: old, to: output)
      return
    }
    let lock = output.appending(path: lockFile)
    guard manager.fileExists(atPath: lock.path) else { return }
    try? manager.removeItem(at: output.appending(path: identityFile))
    try? manager.removeItem(at: old)
    try? manager.removeItem(at: lock)
  }

  /// Removes the folder when its work has gone into an output.
  func discard() {
    Self.remove(url, madeParents)
    close()
  }

  /// Removes the folders of this process in which nothing was done yet.
  ///
  /// - Returns: Whether there is one in which something was done.
  static func discardUnused() -> Bool {
    let folders = open.withLock { $0.sorted { $0.key.path < $1.key.path } }
    for (url, parents) in folders where !hasWork(url) { remove(url, parents) }
    return folders.contains { hasWork($0.key) }
  }
}

extension UnfinishedFolder {
  private func close() { _ = Self.open.withLock { $0.removeValue(forKey: url) } }

  /// Makes the folder, if it is missing, and locks it.
  private static func enter(_ url: URL, _ output: URL, _ madeParents: [URL]) throws -> FileLock {
    let lock: FileLock?
    do {
      try makeDirectory(url)
      lock = try FileLock.take(url.appending(path: lockFile).path)
    } catch {
      removeEmpty(madeParents + [url])
      if error is FileError { throw error }
      throw JobError.unwritable(path: output.relativePath, reason: reason(of: error))
    }
    guard let lock else { throw JobError.inUse(path: output.relativePath) }
    return lock
  }

  /// Empties the folder of what is of no use, and says whose it is.
  private func begin(_ output: URL, identity: [UInt8]) throws {
    let manager = FileManager.default
    do {
      for name in try manager.contentsOfDirectory(atPath: url.path) where name != Self.lockFile {
        try? manager.removeItem(at: url.appending(path: name))
      }
      try write(identity, to: url.appending(path: Self.identityFile).path)
    } catch {
      discard()
      if error is FileError { throw error }
      throw JobError.unwritable(path: output.relativePath, reason: reason(of: error))
    }
  }

  /// Where an output waits that is being replaced.
  private static func replaced(_ output: URL) -> URL {
    location(for: output).deletingPathExtension().appendingPathExtension("replaced")
  }

  private static func remove(_ url: URL, _ madeParents: [URL]) {
    try? FileManager.default.removeItem(at: url)
    removeEmpty(madeParents)
  }

  private static func removeEmpty(_ folders: [URL]) {
    for folder in folders.reversed() {
      let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
      if names?.isEmpty == true { try? FileManager.default.removeItem(at: folder) }
    }
  }

  /// The paths of the files in a folder and below, from there.
  private static func files(in folder: URL) -> [String]? {
    let paths = try? FileManager.default.subpathsOfDirectory(atPath: folder.path)
    return paths?.filter {
      (try? FileManager.default.contentsOfDirectory(atPath: folder.appending(path: $0).path)) == nil
    }
  }

  /// Whether there is anything in a folder that a run could continue from.
  private static func hasWork(_ folder: URL) -> Bool {
    guard FileManager.default.fileExists(atPath: folder.path) else { return false }
    guard let files = files(in: folder) else { return true }
    return files.contains { file in
      let name = FilePath.split(file).name
      return !name.hasPrefix(".") && !isPreparation(name)
    }
  }

  /// Whether a file is one that a run writes before it has done anything, or one that is worth
  /// nothing alone, such as the report of a shot without its weights.
  private static func isPreparation(_ name: String) -> Bool {
    [identityFile, lockFile, StatisticsManifest.tokensFile, HiddenStateFile.name].contains(name)
      || name.hasPrefix("shot-") && name.hasSuffix(".json")
  }

  /// An output without the symbolic links to it, so that not a link is replaced but what it names.
  private static func place(of output: URL) -> URL {
    guard FileManager.default.fileExists(atPath: output.path) else { return output }
    return output.resolvingSymlinksInPath()
  }

  /// Removes the files that a killed process was writing.
  private static func removePartialFiles(in folder: URL) {
    for file in files(in: folder) ?? [] where FilePath.split(file).name.hasPrefix(".") {
      try? FileManager.default.removeItem(at: folder.appending(path: file))
    }
  }

  /// The directories above a folder that do not exist, outermost first.
  private static func missingParents(of folder: URL) -> [URL] {
    var missing: [URL] = []
    var parent = folder.deletingLastPathComponent()
    while !FileManager.default.fileExists(atPath: parent.path), parent.pathComponents.count > 1 {
      missing.insert(parent, at: 0)
      parent = parent.deletingLastPathComponent()
    }
    return missing
  }
}
