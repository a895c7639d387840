internal import Glibc
internal import Tensors

/// A directory that appears under its name only once it is complete.
///
/// Its files are written to ``path``, beside the destination, and ``commit()`` renames it; without
/// that nothing is left.
package struct StagedDirectory: ~Copyable {
  /// What may happen to a directory that is there already.
  package enum Existing: Equatable, Sendable {
    /// It is an error, unless the directory is empty.
    case refused
    /// It is replaced, provided that it has a file of the given name, which shows that it is a
    /// former output.
    case replaced(ifContaining: String)
  }

  /// Where to write the files.
  package let path: String
  /// Where the directory will be, without symbolic links.
  package let destination: String

  private let existing: Existing
  private let madeParents: [String]
  /// Says that the process lives.
  private let lock: FileLock?
  private var isStaged = true

  /// Makes an empty directory beside the destination, and removes what a killed process left there.
  ///
  /// - Parameters:
  ///   - destination: Where the directory will be; missing directories above it are made.
  ///   - existing: What may happen to a directory that is there already.
  ///   - source: A directory that is read meanwhile and must stay as it is.
  /// - Throws: ``CheckpointError`` if the destination may not be used, `FileError` if the directory
  ///   cannot be made.
  package init(
    _ destination: String,
    existing: Existing = .refused,
    apartFrom source: String? = nil
  ) throws {
    let place = try Destination(destination)
    if let source, let real = FileSystem.resolved(source), place.overlaps(real) {
      throw CheckpointError.outputOverlapsSource(output: place.path, source: real)
    }
    AbandonedOutput.clear(beside: place.path)
    try Self.check(place.path, existing)
    let parents = try place.makeParents()
    (path, lock) = try Self.makeStaging(place.path, parents)
    self.destination = place.path
    self.existing = existing
    madeParents = parents
  }

  /// Gives the directory its name, after making its content durable.
  ///
  /// A directory that is replaced is moved aside first, and removed last.
  ///
  /// - Throws: ``CheckpointError`` if the destination may no longer be used, `FileError` if the
  ///   directory cannot be renamed; then nothing is left, and what was there stays.
  package consuming func commit() throws {
    try FileSystem.synchronize(path)
    try Self.check(destination, existing)
    let parent = FilePath.split(destination).directory
    if !FileSystem.exists(destination) || Self.isEmpty(destination) {
      try StagingArea.leave(path) { try FileSystem.move(path, to: destination) }
      isStaged = false
      try FileSystem.synchronize(parent)
      return
    }
    let old = path + AbandonedOutput.replacedSuffix
    try StagingArea.leave(path) {
      try FileSystem.move(destination, to: old)
      do {
        try FileSystem.move(path, to: destination)
      } catch {
        try FileSystem.move(old, to: destination)
        throw error
      }
    }
    isStaged = false
    try FileSystem.synchronize(parent)
    try FileSystem.removeTree(old)
  }

  deinit {
    guard isStaged else { return }
    try? FileSystem.removeTree(path)
    StagingArea.leave(path)
    for parent in madeParents.reversed() { FileSystem.removeIfEmpty(parent) }
  }

  private static func makeStaging(
    _ destination: String,
    _ parents: [String]
  ) throws(FileError) -> (String, FileLock?) {
    var attempt = 0
    while true {
      let candidate = FilePath.partial(destination, attempt: attempt)
      do {
        try FileSystem.makeDirectory(candidate)
        StagingArea.enter(candidate)
        return (candidate, FileLock.hold(folder: candidate))
      } catch {
        attempt += 1
        guard error.code != EEXIST || attempt > FilePath.attempts else { continue }
        for parent in parents.reversed() { FileSystem.removeIfEmpty(parent) }
        throw error
      }
    }
  }

  private static func isEmpty(_ directory: String) -> Bool {
    (try? FileSystem.names(in: directory))?.isEmpty ?? false
  }

  private static func check(_ destination: String, _ existing: Existing) throws(CheckpointError) {
    guard FileSystem.exists(destination) else { return }
    guard FileSystem.isDirectory(destination) else { throw .noDirectory(destination) }
    guard !isEmpty(destination) else { return }
    switch existing {
    case .refused: throw .outputExists(destination)
    case .replaced(let marker):
      guard FileSystem.exists(FilePath.join(destination, marker)) else {
        throw .outputNotReplaceable(destination, missing: marker)
      }
    }
  }
}

/// The place of an output, without symbolic links.
private struct Destination {
  let path: String
  private let missingParents: [String]

  init(_ text: String) throws(CheckpointError) {
    if let real = FileSystem.resolved(text) {
      path = real
      missingParents = []
      return
    }
    var names = text.split(separator: "/").map(String.init).filter { $0 != "." }
    guard let name = names.popLast(), FilePath.isPlainName(name) else {
      throw .invalidFileName(text)
    }
    var current = FileSystem.resolved(text.hasPrefix("/") ? "/" : ".") ?? "."
    var missing: [String] = []
    for name in names {
      let next = FilePath.join(current, name)
      if missing.isEmpty, let real = FileSystem.resolved(next) {
        current = real
      } else {
        guard FilePath.isPlainName(name) else { throw .invalidFileName(text) }
        current = next
        missing.append(next)
      }
    }
    path = FilePath.join(current, name)
    missingParents = missing
  }

  /// Whether one of two directories is within the other.
  func overlaps(_ other: String) -> Bool {
    let (own, others) = (FilePath.join(path, ""), FilePath.join(other, ""))
    return own.utf8.starts(with: others.utf8) || others.utf8.starts(with: own.utf8)
  }

  /// Makes what is missing above; nothing is left if that fails.
  func makeParents() throws(FileError) -> [String] {
    var made: [String] = []
    for parent in missingParents {
      do { try FileSystem.makeDirectory(parent) } catch {
        for parent in made.reversed() { FileSystem.removeIfEmpty(parent) }
        throw error
      }
      made.append(parent)
    }
    return made
  }
}
