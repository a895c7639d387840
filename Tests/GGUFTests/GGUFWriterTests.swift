import Foundation
import Tensors
import TestKit
import Testing

@testable import GGUF

@Suite("Writing GGUF")
struct GGUFWriterTests {
  static func golden() throws -> String {
    try #require(Bundle.module.url(forResource: "Golden/mixed", withExtension: "gguf")).path
  }

  /// The same values as in `make_golden.py`.
  static let metadata: [GGUFEntry] = [
    GGUFEntry("general.architecture", .text("deci")),
    GGUFEntry("a.uint8", .uint8(200)),
    GGUFEntry("a.int8", .int8(-100)),
    GGUFEntry("a.uint16", .uint16(60000)),
    GGUFEntry("a.int16", .int16(-30000)),
    GGUFEntry("a.uint32", .uint32(4_000_000_000)),
    GGUFEntry("a.int32", .int32(-2_000_000_000)),
    GGUFEntry("a.float32", .float32(0.1)),
    GGUFEntry("a.true", .bool(true)),
    GGUFEntry("a.false", .bool(false)),
    GGUFEntry("a.text", .text("größe ▁ 東京")),
    GGUFEntry("a.uint64", .uint64(1 << 63 + 5)),
    GGUFEntry("a.int64", .int64(-(1 << 62))),
    GGUFEntry("a.float64", .float64(0.1)),
    GGUFEntry("a.integers", .array(GGUFArray([Int32(1), -2, 3]))),
    GGUFEntry("a.numbers", .array(GGUFArray([Float(0.5), -0.25]))),
    GGUFEntry("a.texts", .array(GGUFArray(texts: ["", "a b", "é"].map { Array($0.utf8) }))),
  ]

  static let values: [Float] = [
    1, -2, 1 + 0x1p-11, 1 + 0x3p-11, 1 + 0x1p-8, 1 + 0x3p-8, 0x3p-26, 65504,
  ]

  static func tensor(
    _ name: TensorName,
    _ type: ElementType,
    _ shape: [Int],
    _ values: [Float]
  ) -> GGUFWriter.Tensor {
    GGUFWriter.Tensor(name, TensorDescription(elementType: type, shape: shape)) { values }
  }

  @Test("a file of the reference implementation is reproduced byte for byte")
  func reproduces() throws {
    let scratch = try ScratchDirectory()
    try GGUFWriter.write(
      Self.metadata,
      [
        Self.tensor("matrix.f32", .float32, [2, 4], Self.values),
        Self.tensor("matrix.f16", .float16, [2, 4], Self.values),
        Self.tensor("matrix.bf16", .bfloat16, [2, 4], Self.values),
        Self.tensor("vector", .float32, [5], [0, 1, 2, 3, 4]),
      ],
      to: scratch.path("x.gguf")
    )
    #expect(try scratch.read("x.gguf") == MappedFile(Self.golden()).copy())
    #expect(try scratch.names() == ["x.gguf"])
  }

  @Test("what was written is read back, tensors at multiples of 32 from the start of the file")
  func roundTrip() throws {
    let scratch = try ScratchDirectory()
    for length in 1...33 {
      let name = TensorName(String(repeating: "n", count: length))
      try GGUFWriter.write(
        [GGUFEntry("k", .text(String(repeating: "v", count: length)))],
        [
          Self.tensor(name, .bfloat16, [1, 3, length], Array(repeating: 2, count: 3 * length)),
          Self.tensor("last", .float32, [1], [7]),
        ],
        to: scratch.path("x")
      )
      let file = try GGUFFile(path: scratch.path("x"))
      #expect(file.namesInFileOrder == [name, "last"])
      #expect(
        file.description(of: name)
          == TensorDescription(elementType: .bfloat16, shape: [1, 3, length])
      )
      #expect(try file.floats("last") == [7])
      let bytes = try scratch.read("x")
      #expect(bytes.count.isMultiple(of: 32))
      let seven = Float(7).bitPattern
      let last = (0..<4).map { UInt8(truncatingIfNeeded: seven >> (8 * $0)) }
      #expect(Array(bytes[(bytes.count - 32)...].prefix(4)) == last)
    }
  }

  @Test("pruned weights are written as positive zeros", arguments: [ElementType.float32, .float16])
  func zeros(type: ElementType) throws {
    let scratch = try ScratchDirectory()
    try GGUFWriter.write(
      [],
      [Self.tensor("w", type, [2], [-0.0, -0x1p-40])],
      to: scratch.path("x")
    )
    let bits = try GGUFFile(path: scratch.path("x")).floats("w").map(\.bitPattern)
    #expect(bits[0] == 0)
    if type == .float16 { #expect(bits[1] == 0) }
  }

  @Test("a number that half precision cannot hold is refused with its tensor, and nothing is left")
  func overflow() throws {
    let scratch = try ScratchDirectory()
    #expect(throws: TensorError.notFinite("w", index: 1, .float16)) {
      try GGUFWriter.write(
        [],
        [Self.tensor("w", .float16, [2], [1, 65520])],
        to: scratch.path("x")
      )
    }
    #expect(throws: TensorError.notFinite("w", index: 0, .bfloat16)) {
      try GGUFWriter.write([], [Self.tensor("w", .bfloat16, [1], [.nan])], to: scratch.path("x"))
    }
    #expect(throws: TensorError.wrongCount("w", expected: 2, found: 1)) {
      try GGUFWriter.write([], [Self.tensor("w", .float32, [2], [1])], to: scratch.path("x"))
    }
    #expect(try scratch.names().isEmpty)
  }

  @Test("what cannot form a file that llama.cpp reads is refused, and nothing is left")
  func refused() throws {
    let scratch = try ScratchDirectory()
    let path = scratch.path("x")
    func expect(
      _ fault: GGUFError.Fault,
      _ metadata: [GGUFEntry] = [],
      _ tensors: [GGUFWriter.Tensor] = []
    ) {
      #expect(throws: GGUFError(path: path, fault: fault)) {
        try GGUFWriter.write(metadata, tensors, to: path)
      }
    }
    let long = String(repeating: "n", count: 64)
    let entry = GGUFEntry("k", .bool(true))
    expect(.duplicateKey("k"), [entry, entry])
    expect(.invalidKey(""), [GGUFEntry("", .bool(true))])
    expect(.invalidKey("a b"), [GGUFEntry("a b", .bool(true))])
    expect(.invalidAlignment, [GGUFEntry("general.alignment", .uint32(64))])
    expect(.invalidName(""), [], [Self.tensor("", .float32, [1], [0])])
    expect(.invalidName(long), [], [Self.tensor(TensorName(long), .float32, [1], [0])])
    let tensor = Self.tensor("w", .float32, [1], [0])
    expect(.duplicateName("w"), [], [tensor, tensor])
    expect(.invalidShape("w"), [], [Self.tensor("w", .float32, [], [0])])
    expect(.invalidShape("w"), [], [Self.tensor("w", .float32, [1, 0], [])])
    expect(.invalidShape("w"), [], [Self.tensor("w", .float32, [1, 1, 1, 1, 1], [0])])
    expect(.unsupportedElementType("w", "U8"), [], [Self.tensor("w", .uint8, [1], [0])])
    expect(.shapeTooLarge("w"), [], [Self.tensor("w", .float32, [Int.max / 2, 3], [])])
    // Each can be counted, but not both together.
    let large = (["v", "w"] as [TensorName]).map {
      Self.tensor($0, .float32, [Int.max / 8], [])
    }
    expect(.shapeTooLarge("w"), [], large)
    #expect(try scratch.names().isEmpty)
  }
}
