internal import FoundationEssentials

/// A new empty directory that is removed, with everything in it, when the last reference goes.
package final class ScratchDirectory: Sendable {
  /// Where it is.
  package let path: String

  /// Makes a directory within the system's temporary directory.
  ///
  /// - Throws: If it cannot be made.
  package init() throws {
    let url = FileManager.default.temporaryDirectory
      .appending(path: "surgeon-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of something in the directory.
  package func path(_ name: String) -> String { path + "/" + name }

  /// Writes a file, making the directories above it.
  ///
  /// - Parameters:
  ///   - name: Its path within the directory.
  ///   - bytes: Its content.
  /// - Returns: Its path.
  /// - Throws: If it cannot be written.
  @discardableResult
  package func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let url = URL(filePath: path(name))
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(),
      withIntermediateDirectories: true
    )
    try Data(bytes).write(to: url)
    return url.path
  }

  /// Writes a text file, making the directories above it.
  ///
  /// - Parameters:
  ///   - name: Its path within the directory.
  ///   - text: Its content.
  /// - Returns: Its path.
  /// - Throws: If it cannot be written.
  @discardableResult
  package func write(_ name: String, _ text: String) throws -> String {
    try write(name, Array(text.utf8))
  }

  /// Reads a file of the directory.
  ///
  /// - Parameter name: Its path within the directory.
  /// - Returns: Its content.
  /// - Throws: If it cannot be read.
  package func read(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: path(name))))
  }

  /// The names in the directory or one within it, sorted; hidden ones too.
  ///
  /// - Parameter name: A path within the directory.
  /// - Returns: The names.
  /// - Throws: If it is no directory.
  package func names(in name: String = ".") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(name)).sorted()
  }
}
