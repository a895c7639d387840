internal import FoundationEssentials
internal import Glibc
internal import Tensors

/// What is asked of directories.
enum FileSystem {
  /// Whether there is anything of that path.
  static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  /// Whether there is a directory of that path.
  static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    // SAFETY: the path is a terminated string during the call, and `status` is written by it.
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The names in a directory, sorted by bytes.
  static func names(in directory: String) throws(FileError) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: directory)
        .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    } catch {
      throw FileError(.list, directory, code: exists(directory) ? EACCES : ENOENT)
    }
  }

  /// The path without symbolic links, or nil if there is nothing of that path.
  static func resolved(_ path: String) -> String? {
    // SAFETY: `realpath` returns a terminated string that is copied and then freed, or null.
    guard let text = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(text) }
    return unsafe String(cString: text)
  }

  /// Makes a directory; what is above it must exist.
  static func makeDirectory(_ path: String) throws(FileError) {
    // SAFETY: the path is a terminated string during the call.
    guard unsafe mkdir(path, 0o777) == 0 else { throw .last(.create, path) }
  }

  /// Renames a file or directory; replaces an empty directory.
  static func move(_ path: String, to other: String) throws(FileError) {
    // SAFETY: both paths are terminated strings during the call.
    guard unsafe rename(path, other) == 0 else { throw .last(.rename, other) }
  }

  /// Removes a directory if it is empty.
  static func removeIfEmpty(_ path: String) {
    // SAFETY: the path is a terminated string during the call.
    unsafe _ = rmdir(path)
  }

  /// Removes a directory with everything in it; links are not followed.
  static func removeTree(_ path: String) throws(FileError) {
    do { try FileManager.default.removeItem(atPath: path) } catch {
      throw FileError(.remove, path, code: EACCES)
    }
  }

  /// Makes the names in a directory durable.
  static func synchronize(_ directory: String) throws(FileError) {
    // SAFETY: the path is a terminated string during the call.
    let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .last(.open, directory) }
    defer { _ = close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .last(.synchronize, directory) }
  }
}
