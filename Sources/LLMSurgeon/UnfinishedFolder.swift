import ExactJSON
import Foundation
import Synchronization
import Tensors

/// A folder beside an output that keeps the work of a run until the output is complete.
///
/// It carries the settings of its run; a later run with the same settings goes on in it, one with
/// other settings is refused if there is work in it.
struct UnfinishedFolder {
  /// The folder.
  let url: URL
  private let madeParents: [URL]

  private static let identityFile = "identity.json"
  /// The folders of this process that are not finished.
  private static let open = Mutex<[String: UnfinishedFolder]>([:])

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
  ///   ``JobError/unwritable(path:reason:)`` or `FileError` if the folder cannot be made.
  init(for output: URL, identity: JSONValue) throws {
    url = Self.location(for: output)
    let file = url.appending(path: Self.identityFile)
    let wanted = JSONWriter.write(identity, indent: 2)
    let isThere = FileManager.default.fileExists(atPath: url.path)
    let isOwn = isThere && (try? Data(contentsOf: file)).map { [UInt8]($0) } == wanted
    guard !isThere || isOwn || !Self.hasWork(url) else {
      throw JobError.foreignRemains(path: url.relativePath)
    }
    if isOwn {
      madeParents = []
      Self.removePartialFiles(in: url)
    } else {
      // What a run left that was stopped before it had done anything is of no use.
      if isThere { try? FileManager.default.removeItem(at: url) }
      madeParents = Self.missingParents(of: url)
      try make(for: output, identity: wanted)
    }
    let folder = self
    Self.open.withLock { $0[folder.url.path] = folder }
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
  /// - Parameter output: The name; what bears it now, the caller has decided to replace.
  /// - Throws: `JobError.unwritable` if it cannot be moved; what was there is still there then.
  func become(_ output: URL) throws {
    let manager = FileManager.default
    let parent = url.deletingLastPathComponent()
    let output = Self.place(of: output)
    let old = url.deletingPathExtension().appendingPathExtension("replaced")
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
    try? manager.removeItem(at: output.appending(path: Self.identityFile))
    try? manager.removeItem(at: old)
    for directory in [output, parent] {
      try? FileHandle(forReadingFrom: directory).synchronize()
    }
    close()
  }

  /// Removes the folder when its work has gone into an output.
  func discard() {
    try? FileManager.default.removeItem(at: url)
    for parent in madeParents.reversed() {
      let names = try? FileManager.default.contentsOfDirectory(atPath: parent.path)
      if names?.isEmpty == true { try? FileManager.default.removeItem(at: parent) }
    }
    close()
  }

  /// Removes the folders of this process in which nothing was done yet.
  ///
  /// - Returns: Whether there is one in which something was done.
  static func discardUnused() -> Bool {
    let folders = open.withLock { $0.values.sorted { $0.url.path < $1.url.path } }
    for folder in folders where !hasWork(folder.url) { folder.discard() }
    return folders.contains { hasWork($0.url) }
  }
}

extension UnfinishedFolder {
  private func close() { _ = Self.open.withLock { $0.removeValue(forKey: url.path) } }

  private func make(for output: URL, identity: [UInt8]) throws {
    do {
      try makeDirectory(url)
      try write(identity, to: url.appending(path: Self.identityFile).path)
    } catch {
      discard()
      if error is FileError { throw error }
      throw JobError.unwritable(path: output.relativePath, reason: reason(of: error))
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
    name == identityFile || name == StatisticsManifest.tokensFile
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
