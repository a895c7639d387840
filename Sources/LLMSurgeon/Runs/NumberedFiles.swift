import Foundation

/// The states that an unfinished run leaves in its folder, each with a number, of which the last one
/// counts.
struct NumberedFiles {
  /// The unfinished folder of the run.
  let folder: URL
  /// What the names begin with.
  let prefix: String

  private static let suffix = ".safetensors"

  /// The number of the last state; nil if there is none.
  var last: Int? { numbers().last }

  /// Writes a state, and removes the others.
  ///
  /// - Parameters:
  ///   - number: Its number.
  ///   - write: Writes the file of this path, complete or not at all.
  /// - Throws: What `write` throws; then the others are still there.
  func replace(with number: Int, _ write: (String) throws -> Void) throws {
    let older = numbers()
    try write(file(number).path)
    for other in older where other != number {
      try? FileManager.default.removeItem(at: file(other))
    }
  }

  /// Where a state lies.
  func file(_ number: Int) -> URL {
    folder.appending(path: "\(prefix)\(number)\(Self.suffix)")
  }

  /// Says that a state cannot be read.
  func damaged(_ number: Int) -> JobError {
    JobError.unreadable(path: file(number).relativePath, reason: "the saved state is damaged")
  }

  /// The numbers of the states, rising.
  private func numbers() -> [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.compactMap { name in
      guard name.hasPrefix(prefix), name.hasSuffix(Self.suffix) else { return nil }
      return Int(name.dropFirst(prefix.count).dropLast(Self.suffix.count))
    }.sorted()
  }
}
