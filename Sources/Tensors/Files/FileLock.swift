internal import Glibc

/// A lock that one process at a time holds; it ends with its process, however that ends.
///
/// Locks hold between processes of one machine, and between machines where the file system passes
/// them on. A file system that knows no locks grants every one.
package final class FileLock: Sendable {
  private let descriptor: Int32

  private init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { _ = close(descriptor) }

  /// Takes the lock of a file, which is made if it is missing.
  ///
  /// - Parameter path: The file.
  /// - Returns: The lock, or nil if somebody else holds it.
  /// - Throws: ``FileError`` if there is no such file and it cannot be made.
  package static func take(_ path: String) throws(FileError) -> FileLock? {
    while true {
      // SAFETY: the path is a terminated string during the call.
      let opened = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
      guard opened >= 0 else { throw .last(.create, path) }
      let lock = FileLock(opened)
      guard tryLock(opened) != .taken else { return nil }
      // Whoever held it may have removed the file between the two calls.
      if isFile(opened, at: path) { return lock }
    }
  }

  /// Whether nobody holds the lock of a file or folder, as far as the file system can tell.
  ///
  /// - Parameter path: The file or folder.
  /// - Returns: False also where locks are unknown or the file cannot be opened.
  static func isFree(_ path: String) -> Bool {
    // SAFETY: the path is a terminated string during the call.
    let opened = unsafe open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
    guard opened >= 0 else { return false }
    defer { _ = close(opened) }
    return tryLock(opened) == .locked
  }

  /// Holds the lock of a file or folder that this process has just made, as long as it is open.
  ///
  /// - Parameter descriptor: The open file or folder.
  static func hold(_ descriptor: Int32) { _ = tryLock(descriptor) }

  /// Holds the lock of a folder that this process has just made.
  ///
  /// - Parameter folder: The folder.
  /// - Returns: The lock, or nil if the folder cannot be opened.
  package static func hold(folder: String) -> FileLock? {
    // SAFETY: the path is a terminated string during the call.
    let opened = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard opened >= 0 else { return nil }
    hold(opened)
    return FileLock(opened)
  }

  private enum Answer { case locked, taken, unknown }

  private static func tryLock(_ descriptor: Int32) -> Answer {
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      if errno == EWOULDBLOCK { return .taken }
      guard errno == EINTR else { return .unknown }
    }
    return .locked
  }

  /// Whether an open file is the one of that name.
  private static func isFile(_ descriptor: Int32, at path: String) -> Bool {
    var (own, named) = (stat(), stat())
    // SAFETY: the path is a terminated string during the call, and both values are written by them.
    guard unsafe fstat(descriptor, &own) == 0, unsafe stat(path, &named) == 0 else { return false }
    return own.st_dev == named.st_dev && own.st_ino == named.st_ino
  }
}
