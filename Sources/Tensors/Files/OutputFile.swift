internal import Glibc

/// A file that appears under its name only once it is complete.
///
/// It is written under a temporary name beside its place and renamed by ``commit(isFlushed:)``; without that
/// nothing is left. An older file of the name stays readable until then, even if it is mapped.
package struct OutputFile: ~Copyable {
  /// Where the file will be.
  package let path: String
  private let temporary: String
  private let descriptor: Int32
  private var isOpen = true

  /// Starts a file, and removes what a killed process left of it.
  ///
  /// - Parameter path: Where it will be.
  /// - Throws: ``FileError``, for instance if the directory cannot be written.
  package init(_ path: String) throws(FileError) {
    self.path = path
    AbandonedOutput.clear(beside: path)
    for attempt in 0... {
      let candidate = FilePath.partial(path, attempt: attempt)
      // SAFETY: the path is a terminated string during the call.
      let opened = unsafe open(candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      guard opened >= 0 else {
        if errno == EEXIST, attempt < FilePath.attempts { continue }
        throw .last(.create, path)
      }
      temporary = candidate
      descriptor = opened
      FileLock.hold(opened)
      StagingArea.enter(candidate)
      return
    }
    throw FileError(.create, path, code: EEXIST)
  }

  /// Appends bytes.
  ///
  /// - Parameter bytes: What to append.
  /// - Throws: ``FileError``, for instance if the disk is full.
  package mutating func write(_ bytes: RawSpan) throws(FileError) {
    try Self.write(bytes, to: descriptor, path: path)
  }

  /// Appends bytes.
  ///
  /// - Parameter bytes: What to append.
  /// - Throws: ``FileError``, for instance if the disk is full.
  package mutating func write(_ bytes: [UInt8]) throws(FileError) {
    // SAFETY: bytes have no padding.
    try unsafe write(bytes.span.bytes)
  }

  /// Flushes the file to the disk and gives it its name.
  ///
  /// - Parameter isFlushed: Whether the file shall be there even after a failure of power.
  /// - Throws: ``FileError``; then nothing is left.
  package consuming func commit(isFlushed: Bool = true) throws(FileError) {
    if isFlushed {
      guard fsync(descriptor) == 0 else { throw .last(.synchronize, path) }
    }
    isOpen = false
    guard close(descriptor) == 0 else {
      let error = FileError.last(.write, path)
      discardTemporary()
      throw error
    }
    do throws(FileError) {
      try StagingArea.leave(temporary) { () throws(FileError) in
        // SAFETY: both paths are terminated strings during the call.
        guard unsafe rename(temporary, path) == 0 else { throw .last(.rename, path) }
      }
    } catch {
      discardTemporary()
      throw error
    }
  }

  deinit {
    guard isOpen else { return }
    _ = close(descriptor)
    discardTemporary()
  }

  private borrowing func discardTemporary() {
    // SAFETY: the path is a terminated string during the call; a file that is gone is no fault.
    unsafe _ = unlink(temporary)
    StagingArea.leave(temporary)
  }

  /// Writes all bytes to an open file, however often the system interrupts.
  ///
  /// - Parameters:
  ///   - bytes: What to write.
  ///   - descriptor: The open file.
  ///   - path: Its name for errors.
  /// - Throws: ``FileError``.
  package static func write(_ bytes: RawSpan, to descriptor: Int32, path: String) throws(FileError)
  {
    var offset = 0
    while offset < bytes.byteCount {
      let written = unsafe bytes.withUnsafeBytes { buffer in
        // SAFETY: reads the rest of the buffer, during the call.
        unsafe Glibc.write(
          descriptor,
          buffer.baseAddress.unsafelyUnwrapped + offset,
          buffer.count - offset
        )
      }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw .last(.write, path) }
      offset += written
    }
  }
}
