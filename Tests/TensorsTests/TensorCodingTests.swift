import Tensors
import TestKit
import Testing

@Suite("Stored tensors")
struct TensorCodingTests {
  static let floating: [ElementType] = [.float16, .bfloat16, .float32, .float64]
  static let representable: [Float] = [1, -2.5, 0.125, 96, -0.0078125]

  @Test("numbers that a type holds exactly survive it", arguments: floating)
  func roundTrip(type: ElementType) throws {
    let description = TensorDescription(elementType: type, shape: [5])
    let bytes = try description.bytes(of: Self.representable, name: "x")
    #expect(bytes.count == 5 * type.byteCount)
    #expect(try description.floats(from: bytes, name: "x") == Self.representable)
  }

  @Test("no zero is stored with a sign, not even one made by rounding", arguments: floating)
  func positiveZero(type: ElementType) throws {
    let description = TensorDescription(elementType: type, shape: [2])
    let tiny: Float = type == .float16 ? -1e-9 : -0.0
    #expect(
      try description.bytes(of: [-0.0, tiny], name: "x")
        == [UInt8](repeating: 0, count: 2 * type.byteCount)
    )
  }

  @Test("a number that is not finite once stored is refused, with its place", arguments: floating)
  func notFinite(type: ElementType) {
    let description = TensorDescription(elementType: type, shape: [3])
    for value in [Float.nan, .infinity, -.infinity] {
      #expect(throws: TensorError.notFinite("x", index: 1, type)) {
        try description.bytes(of: [0, value, 0], name: "x")
      }
    }
  }

  @Test("a number that overflows its type is refused")
  func overflow() {
    let half = TensorDescription(elementType: .float16, shape: [2])
    #expect(throws: TensorError.notFinite("x", index: 0, .float16)) {
      try half.bytes(of: [65520, 1], name: "x")
    }
    #expect(throws: Never.self) { try half.bytes(of: [65519, 1], name: "x") }
  }

  @Test("integers of every width are read with their sign")
  func integers() throws {
    let cases: [(ElementType, [UInt8], Int)] = [
      (.uint8, [0xFF], 255), (.int8, [0xFF], -1), (.int16, [0x00, 0x80], -32768),
      (.uint16, [0x00, 0x80], 32768), (.int32, [0xFE, 0xFF, 0xFF, 0xFF], -2),
      (.uint32, [0xFE, 0xFF, 0xFF, 0xFF], 4_294_967_294),
      (.int64, [0, 0, 0, 0, 0, 0, 0, 0x80], .min), (.uint64, [1, 0, 0, 0, 0, 0, 0, 0], 1),
    ]
    for (type, bytes, expected) in cases {
      let description = TensorDescription(elementType: type, shape: [])
      #expect(try description.integers(from: bytes, name: "x") == [expected])
    }
    let wide = TensorDescription(elementType: .uint64, shape: [1])
    #expect(throws: TensorError.integerTooLarge("x", index: 0)) {
      try wide.integers(from: [0, 0, 0, 0, 0, 0, 0, 0x80], name: "x")
    }
  }

  @Test("numbers of another kind or count are refused")
  func wrongKind() {
    let integers = TensorDescription(elementType: .int8, shape: [1])
    #expect(throws: TensorError.notFloatingPoint("x", .int8)) {
      try integers.floats(from: [1], name: "x")
    }
    #expect(throws: TensorError.notFloatingPoint("x", .int8)) {
      try integers.bytes(of: [1], name: "x")
    }
    let floats = TensorDescription(elementType: .float32, shape: [1])
    #expect(throws: TensorError.notInteger("x", .float32)) {
      try floats.integers(from: [0, 0, 0, 0], name: "x")
    }
    #expect(throws: TensorError.wrongCount("x", expected: 4, found: 3)) {
      try floats.floats(from: [0, 0, 0], name: "x")
    }
  }

  @Test("shapes that cannot be counted have no count")
  func counts() {
    #expect(TensorDescription.checkedCount([]) == 1)
    #expect(TensorDescription.checkedCount([3, 0, 5]) == 0)
    #expect(TensorDescription.checkedCount([1 << 32, 1 << 32]) == nil)
    #expect(TensorDescription.checkedCount([-1]) == nil)
    #expect(TensorDescription.checkedByteCount(.float32, [1 << 61]) == nil)
  }

  @Test("tensors in memory are read back, sorted by name")
  func memory() throws {
    var tensors = MemoryTensors()
    try tensors.set("b", TensorDescription(elementType: .bfloat16, shape: [2]), floats: [1, 2])
    try tensors.set("a", TensorDescription(elementType: .int8, shape: [1]), bytes: [7])
    #expect(tensors.names == ["a", "b"])
    #expect(try tensors.floats("b") == [1, 2])
    #expect(try tensors.integers("a") == [7])
    #expect(try tensors.withBytes("a") { $0.byteCount } == 1)
    #expect(throws: TensorError.missing("c")) { try tensors.floats("c") }
  }
}
