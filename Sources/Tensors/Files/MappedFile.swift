internal import FoundationEssentials
internal import Glibc

/// The content of a file, mapped into memory: only pages that are looked at are read.
package struct MappedFile: Sendable {
  /// Where the file is; for errors only when the content was given.
  package let path: String
  private let data: Data

  /// Maps a regular file.
  ///
  /// The file must not be shortened while it is mapped: the system ends a program that reads pages
  /// which are gone.
  ///
  /// - Parameter path: Where the file is; symbolic links are followed.
  /// - Throws: ``FileError``.
  package init(_ path: String) throws(FileError) {
    var status = stat()
    // SAFETY: the path is a terminated string during the call, and `status` is written by it.
    guard unsafe stat(path, &status) == 0 else { throw .last(.open, path) }
    guard status.st_mode & S_IFMT != S_IFDIR else { throw FileError(.open, path, code: EISDIR) }
    // A pipe or a device could block or never end.
    guard status.st_mode & S_IFMT == S_IFREG else { throw FileError(.open, path, code: EINVAL) }
    // SAFETY: the path is a terminated string during the call.
    guard unsafe access(path, R_OK) == 0 else { throw .last(.open, path) }
    do {
      data = try Data(contentsOf: URL(filePath: path), options: .alwaysMapped)
    } catch {
      throw FileError(.read, path, code: EIO)
    }
    self.path = path
  }

  /// Takes content that is in memory already.
  package init(path: String, content: [UInt8]) {
    self.path = path
    data = Data(content)
  }

  /// The number of bytes.
  package var count: Int { data.count }

  /// The bytes.
  package var bytes: RawSpan {
    @_lifetime(borrow self) get { data.bytes }
  }

  /// A copy of all bytes.
  package func copy() -> [UInt8] { [UInt8](data) }

  /// A copy of some bytes; the range lies within the file.
  package func copy(_ range: Range<Int>) -> [UInt8] { [UInt8](data[range]) }

  /// Lends all bytes.
  package func withBytes<Result>(_ body: (RawSpan) throws -> Result) rethrows -> Result {
    try body(data.bytes)
  }
}
