import Glibc

import Tensors

/// The device that is always full.
enum FullDisk {
  /// Writes to the device as to a file called `/out/x`.
  static func write() throws {
    // SAFETY: the path is a terminated literal.
    let descriptor = unsafe open("/dev/full", O_WRONLY)
    defer { _ = close(descriptor) }
    let bytes: [UInt8] = [1]
    // SAFETY: bytes have no padding.
    try unsafe OutputFile.write(bytes.span.bytes, to: descriptor, path: "/out/x")
  }
}
