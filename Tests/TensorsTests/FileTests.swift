import TestKit
import Testing

import Tensors

@Suite("Files")
struct FileTests {
  @Test(
    "a mapped file has the bytes of the file, also when it is empty",
    arguments: [0, 1, 70_000]
  )
  func mapped(count: Int) throws {
    let scratch = try ScratchDirectory()
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
    let file = try MappedFile(try scratch.write("x", bytes))
    #expect(file.count == count)
    #expect(file.copy() == bytes)
  }

  @Test("what is no regular file is refused, by name")
  func refused() throws {
    let scratch = try ScratchDirectory()
    for path in [scratch.path("none"), scratch.path, "/dev/null"] {
      let error = try #require(throws: FileError.self) { try MappedFile(path) }
      #expect(error.description.contains(path))
    }
  }

  @Test("a file appears only when it is complete, and replaces an older one then")
  func appears() throws {
    let scratch = try ScratchDirectory()
    try scratch.write("x", "old")
    let mapped = try MappedFile(scratch.path("x"))
    var output = try OutputFile(scratch.path("x"))
    try output.write(Array("new ".utf8))
    try output.write(Array("content".utf8))
    #expect(try scratch.read("x") == Array("old".utf8))
    try output.commit()
    #expect(try scratch.read("x") == Array("new content".utf8))
    #expect(mapped.copy() == Array("old".utf8))
    #expect(try scratch.names() == ["x"])
  }

  @Test("a file that is not completed leaves nothing")
  func abandoned() throws {
    let scratch = try ScratchDirectory()
    func abandon() throws {
      var output = try OutputFile(scratch.path("x"))
      try output.write([1, 2, 3])
      #expect(try scratch.names().count == 1)
    }
    try abandon()
    #expect(try scratch.names().isEmpty)
  }

  @Test("two files of one name can be written at once; the last one to be completed stays")
  func twice() throws {
    let scratch = try ScratchDirectory()
    var first = try OutputFile(scratch.path("x"))
    var second = try OutputFile(scratch.path("x"))
    try first.write([1])
    try second.write([2])
    try second.commit()
    try first.commit()
    #expect(try scratch.read("x") == [1])
    #expect(try scratch.names() == ["x"])
  }

  @Test("a directory that is missing is named")
  func unwritable() throws {
    let scratch = try ScratchDirectory()
    let path = scratch.path("none/x")
    let error = try #require(throws: FileError.self) { _ = try OutputFile(path).path }
    #expect(error.description == "cannot create \(path): No such file or directory")
    #expect(!error.isDiskFull)
  }

  @Test("a place that cannot be replaced is named, and nothing is left")
  func unreplaceable() throws {
    let scratch = try ScratchDirectory()
    try scratch.write("x/y", "")
    #expect(throws: FileError.self) { try OutputFile(scratch.path("x")).commit() }
    #expect(try scratch.names() == ["x"])
  }

  @Test("a full disk is named with the path and advice")
  func full() throws {
    let error = try #require(throws: FileError.self) { try FullDisk.write() }
    #expect(error.isDiskFull)
    #expect(
      error.description
        == "cannot write /out/x: No space left on device; free some space there or choose another place"
    )
  }

  @Test("names that leave a directory are not plain")
  func plainNames() {
    for name in ["", ".", "..", "a/b", "/a", "a\0"] { #expect(!FilePath.isPlainName(name)) }
    for name in ["a", ".a", "..a", "a b"] { #expect(FilePath.isPlainName(name)) }
  }
}
