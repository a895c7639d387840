internal import Glibc

/// A file for what does not fit in memory.
///
/// Unless a name is given, it has none once it is open, so whatever ends the process frees its space.
/// It is read and written by calls, not mapped: what is on the disk takes no memory of the process.
package final class ScratchFile: Sendable {
  /// Where the file is, for errors.
  private let path: String
  private let descriptor: Int32

  /// Makes a file and reserves its space, so that a full disk is noticed now and not hours later.
  ///
  /// - Parameters:
  ///   - directory: Where it lies; it must exist.
  ///   - byteCount: Its size.
  /// - Throws: ``FileError``, for instance if there is no room.
  package init(in directory: String, byteCount: Int) throws(FileError) {
    path = directory
    descriptor = try Self.openUnnamed(in: directory)
    let failure = byteCount > 0 ? posix_fallocate(descriptor, 0, byteCount) : 0
    guard failure == 0 else { throw FileError(.write, path, code: failure) }
  }

  /// Opens the file of a name, or makes it, and reserves its space; a later process finds it there.
  ///
  /// - Parameters:
  ///   - path: Where it is.
  ///   - byteCount: Its least size.
  /// - Throws: ``FileError``, for instance if there is no room; a file that is too small is removed
  ///   then.
  package init(named path: String, byteCount: Int) throws(FileError) {
    self.path = path
    // SAFETY: the path is a terminated string during the call.
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .last(.create, path) }
    let failure = byteCount > 0 ? posix_fallocate(descriptor, 0, byteCount) : 0
    guard failure == 0 else {
      // SAFETY: the path is a terminated string during the call.
      unsafe _ = unlink(path)
      throw FileError(.write, path, code: failure)
    }
  }

  /// Opens a file and removes its name.
  private static func openUnnamed(in directory: String) throws(FileError) -> Int32 {
    for attempt in 0..<FilePath.attempts {
      let candidate = FilePath.partial(FilePath.join(directory, "scratch"), attempt: attempt)
      // SAFETY: the path is a terminated string during the call.
      let opened = unsafe open(candidate, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      if opened < 0, errno == EEXIST { continue }
      guard opened >= 0 else { throw .last(.create, candidate) }
      // SAFETY: the path is a terminated string during the call.
      unsafe _ = unlink(candidate)
      return opened
    }
    throw FileError(.create, directory, code: EEXIST)
  }

  deinit { _ = close(descriptor) }

  /// Brings to the disk what was written.
  ///
  /// - Throws: ``FileError``.
  package func synchronize() throws(FileError) {
    guard fsync(descriptor) == 0 else { throw .last(.synchronize, path) }
  }

  /// Writes bytes.
  ///
  /// - Parameters:
  ///   - bytes: What to write.
  ///   - offset: Where in the file.
  /// - Throws: ``FileError``.
  package func write(_ bytes: RawSpan, at offset: Int) throws(FileError) {
    try transfer(bytes.byteCount, .write) { done in
      unsafe bytes.withUnsafeBytes { buffer in
        // SAFETY: reads the rest of the buffer, during the call.
        unsafe pwrite(
          descriptor,
          buffer.baseAddress.unsafelyUnwrapped + done,
          buffer.count - done,
          offset + done
        )
      }
    }
  }

  /// Fills memory with bytes of the file.
  ///
  /// - Parameters:
  ///   - bytes: Where to put them.
  ///   - offset: Where in the file they begin.
  /// - Throws: ``FileError``, also if the file is shorter.
  package func read(into bytes: inout MutableRawSpan, at offset: Int) throws(FileError) {
    let count = bytes.byteCount
    try unsafe bytes.withUnsafeMutableBytes { buffer throws(FileError) in
      try transfer(count, .read) { done in
        // SAFETY: writes the rest of the buffer, during the call.
        unsafe pread(
          descriptor,
          buffer.baseAddress.unsafelyUnwrapped + done,
          buffer.count - done,
          offset + done
        )
      }
    }
  }

  /// Repeats a call until it has moved `count` bytes.
  private func transfer(
    _ count: Int,
    _ operation: FileError.Operation,
    _ move: (_ done: Int) -> Int
  ) throws(FileError) {
    var done = 0
    while done < count {
      let moved = move(done)
      if moved < 0, errno == EINTR { continue }
      guard moved >= 0 else { throw .last(operation, path) }
      guard moved > 0 else { throw FileError(operation, path, code: EIO) }
      done += moved
    }
  }
}
