import TestKit
import Testing

import Tensors

@Suite("Scratch files")
struct ScratchFileTests {
  @Test("give back what was written at each place, in any order")
  func places() throws {
    let scratch = try ScratchDirectory()
    let file = try ScratchFile(in: scratch.path, byteCount: 3000)
    let parts = (0..<3).map { part in (0..<1000).map { UInt8(truncatingIfNeeded: $0 * (part + 3)) }
    }
    for part in [2, 0, 1] {
      let bytes = parts[part]
      // SAFETY: bytes have no padding.
      try unsafe file.write(bytes.span.bytes, at: 1000 * part)
    }
    #expect(try read(file, count: 3000, at: 0) == parts.flatMap(\.self))
    #expect(try read(file, count: 10, at: 1995) == Array((parts[1] + parts[2])[995..<1005]))
  }

  @Test("have no name, so nothing is left whatever ends the process")
  func nameless() throws {
    let scratch = try ScratchDirectory()
    let file = try ScratchFile(in: scratch.path, byteCount: 10)
    #expect(try scratch.names() == [])
    #expect(try read(file, count: 10, at: 0) == [UInt8](repeating: 0, count: 10))
  }

  @Test("that no disk has room for, or in no directory, are refused by name")
  func refused() throws {
    let scratch = try ScratchDirectory()
    let full = try #require(throws: FileError.self) {
      try ScratchFile(in: scratch.path, byteCount: 1 << 60)
    }
    #expect(full.path == scratch.path)
    let nowhere = try #require(throws: FileError.self) {
      try ScratchFile(in: scratch.path("none"), byteCount: 1)
    }
    #expect(nowhere.description.contains(scratch.path("none")))
  }

  @Test("are not read beyond their end")
  func end() throws {
    let scratch = try ScratchDirectory()
    let file = try ScratchFile(in: scratch.path, byteCount: 10)
    #expect(throws: FileError.self) { try read(file, count: 11, at: 0) }
  }

  private func read(_ file: ScratchFile, count: Int, at offset: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 1, count: count)
    var span = bytes.mutableSpan
    // SAFETY: every bit pattern is a byte.
    var raw = unsafe span.mutableBytes
    try file.read(into: &raw, at: offset)
    return bytes
  }
}
