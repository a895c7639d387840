import Safetensors
import Tensors
import TestKit
import Testing

@Suite("Reading safetensors")
struct SafetensorsReaderTests {
  /// A file of a header and data.
  static func file(_ header: String, data: Int = 0) -> MappedFile {
    framed(Array(header.utf8), length: UInt64(header.utf8.count), data: data)
  }

  static func framed(_ header: [UInt8], length: UInt64, data: Int = 0) -> MappedFile {
    let prefix = (0..<8).map { UInt8(truncatingIfNeeded: length >> UInt64(8 * $0)) }
    let content = prefix + header + (0..<data).map { UInt8(truncatingIfNeeded: $0) }
    return MappedFile(path: "x.safetensors", content: content)
  }

  static func entry(_ type: String, _ shape: String, _ offsets: String) -> String {
    #"{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}"#
  }

  @Test(
    "the rules of the format are enforced",
    arguments: [
      // Holes, overlap, a start that is not zero, data that is not covered, data that is missing.
      (#"{"a":\#(entry("U8", "[2]", "[0,2]")),"b":\#(entry("U8", "[2]", "[3,5]"))}"#, 5),
      (#"{"a":\#(entry("U8", "[2]", "[0,2]")),"b":\#(entry("U8", "[2]", "[1,3]"))}"#, 3),
      (#"{"a":\#(entry("U8", "[2]", "[0,2]")),"b":\#(entry("U8", "[2]", "[0,2]"))}"#, 2),
      (#"{"a":\#(entry("U8", "[2]", "[1,3]"))}"#, 3),
      (#"{"a":\#(entry("U8", "[2]", "[0,2]"))}"#, 3),
      (#"{"a":\#(entry("U8", "[2]", "[0,2]"))}"#, 1),
      ("{}", 1),
      // Sizes that disagree or cannot be counted.
      (#"{"a":\#(entry("F32", "[2]", "[0,4]"))}"#, 4),
      (#"{"a":\#(entry("U8", "[2]", "[2,0]"))}"#, 2),
      (#"{"a":\#(entry("U8", "[4294967296,4294967296,4294967296]", "[0,0]"))}"#, 0),
      (#"{"a":\#(entry("F32", "[4611686018427387904]", "[0,0]"))}"#, 0),
      (#"{"a":\#(entry("U8", "[9223372036854775807]", "[0,9223372036854775807]"))}"#, 0),
      (#"{"a":\#(entry("U8", "[9223372036854775808]", "[0,1]"))}"#, 1),
      (#"{"a":\#(entry("U8", "[1]", "[9223372036854775807,9223372036854775808]"))}"#, 1),
      // Members that are missing or of the wrong kind.
      (#"{"a":\#(entry("F3", "[1]", "[0,4]"))}"#, 4),
      (#"{"a":\#(entry("U8", "[-1]", "[0,1]"))}"#, 1),
      (#"{"a":\#(entry("U8", "[1.0]", "[0,1]"))}"#, 1),
      (#"{"a":\#(entry("U8", "[1]", "[0,1.0]"))}"#, 1),
      (#"{"a":\#(entry("U8", "1", "[0,1]"))}"#, 1),
      (#"{"a":\#(entry("U8", "[1]", "[0]"))}"#, 1),
      (#"{"a":\#(entry("U8", "[1]", "[0,1,1]"))}"#, 1),
      (#"{"a":{"dtype":"U8","shape":[1]}}"#, 1),
      (#"{"a":{"dtype":"U8","data_offsets":[0,1]}}"#, 1),
      (#"{"a":{"shape":[1],"data_offsets":[0,1]}}"#, 1),
      (#"{"a":{"dtype":8,"shape":[1],"data_offsets":[0,1]}}"#, 1),
      (#"{"a":1}"#, 0), (#"{"a":null}"#, 0),
      (#"{"__metadata__":{"a":1}}"#, 0), (#"{"__metadata__":"a"}"#, 0),
      // Headers that are no object, or not only one.
      ("[]", 0), ("1", 0), ("", 0), ("{", 0), ("{}\0", 0), ("{} {}", 0),
      (#"{"a":\#(entry("U8", "[1]", "[0,1]")),"a":\#(entry("U8", "[1]", "[0,1]"))}"#, 1),
    ]
  )
  func rules(header: String, data: Int) {
    let error = #expect(throws: SafetensorsError.self) {
      try SafetensorsFile(Self.file(header, data: data))
    }
    #expect(error?.description.hasPrefix("x.safetensors is not a valid safetensors file: ") == true)
  }

  @Test(
    "what the reference implementation accepts is read",
    arguments: [
      ("{}", 0), (" {}   ", 0), (#"{"__metadata__":{}}"#, 0),
      (#"{"a":\#(entry("F32", "[]", "[0,4]"))}"#, 4),
      (#"{"a":\#(entry("F32", "[0,4611686018427387904]", "[0,0]"))}"#, 0),
      (#"{"b":\#(entry("U8", "[2]", "[1,3]")),"a":\#(entry("U8", "[1]", "[0,1]"))}"#, 3),
      (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":[1]}}"#, 1),
      (#"{"a":\#(entry("U8", "[0]", "[1,1]")),"b":\#(entry("U8", "[1]", "[0,1]"))}"#, 1),
    ]
  )
  func accepted(header: String, data: Int) {
    #expect(throws: Never.self) { try SafetensorsFile(Self.file(header, data: data)) }
  }

  @Test(
    "a header that claims more than there is or may be is refused",
    arguments: [3, 100_000_000, 100_000_001, 1 << 62, 1 << 63, UInt64.max]
  )
  func headerLength(length: UInt64) {
    let error = #expect(throws: SafetensorsError.self) {
      try SafetensorsFile(Self.framed(Array("{}".utf8), length: length))
    }
    #expect(
      error?.fault == (length > 100_000_000 ? .headerTooLong(length) : .truncatedHeader)
    )
  }

  @Test("every file that is cut short is refused")
  func truncated() throws {
    let header = #"{"a":\#(Self.entry("F32", "[2]", "[0,8]"))}"#
    let whole = Self.file(header, data: 8).copy()
    #expect(throws: Never.self) {
      try SafetensorsFile(MappedFile(path: "x", content: whole))
    }
    for count in 0..<whole.count {
      #expect(throws: SafetensorsError.self) {
        try SafetensorsFile(MappedFile(path: "x", content: Array(whole[..<count])))
      }
    }
  }

  @Test("no damage to a header makes the reader fail other than by an error")
  func fuzz() throws {
    let header =
      #"{"__metadata__":{"format":"pt"},"a":\#(Self.entry("F32", "[2,1]", "[0,8]")),"#
      + #""b":\#(Self.entry("I64", "[1]", "[8,16]"))}"#
    let whole = Self.file(header, data: 16).copy()
    var random = SplitMix64(seed: 7)
    var opened = 0
    for _ in 0..<20_000 {
      var damaged = whole
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        damaged[Int.random(in: damaged.indices, using: &random)] = UInt8.random(
          in: 0...255,
          using: &random
        )
      }
      let file = try? SafetensorsFile(MappedFile(path: "x", content: damaged))
      guard let file else { continue }
      opened += 1
      for name in file.names {
        #expect(try file.bytes(name).count == file.description(of: name)?.byteCount)
        _ = try? file.floats(name)
        _ = try? file.integers(name)
      }
    }
    #expect(opened > 0 && opened < 20_000)
  }

  @Test("names that differ in bytes only are different names")
  func names() throws {
    let header =
      "{\"\u{e9}\":\(Self.entry("U8", "[1]", "[0,1]")),"
      + "\"e\u{301}\":\(Self.entry("U8", "[1]", "[1,2]"))}"
    let file = try SafetensorsFile(Self.file(header, data: 2))
    #expect(file.names == ["e\u{301}", "\u{e9}"])
    #expect(try file.bytes("\u{e9}") == [0])
    #expect(try file.bytes("e\u{301}") == [1])
    #expect(throws: TensorError.missing("e")) { try file.bytes("e") }
  }
}
