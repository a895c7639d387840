internal import Tensors

/// The constants of the format, version 3 (`ggml/docs/gguf.md`).
enum GGUFLayout {
  /// `GGUF`, the first bytes of a file.
  static let magic = Array("GGUF".utf8)
  /// The version that is read and written.
  static let version: UInt32 = 3
  /// The metadata key that holds another alignment than ``standardAlignment``.
  static let alignmentKey = "general.alignment"
  /// Tensors begin at multiples of this many bytes, unless the file says otherwise.
  static let standardAlignment = 32
  /// llama.cpp refuses longer names, in bytes.
  static let longestName = 63
  /// The most extents of a tensor.
  static let mostDimensions = 4
  /// llama.cpp refuses longer keys, in bytes.
  static let longestKey = 65_535

  /// The next multiple of `alignment`, or nil beyond `Int.max`.
  static func aligned(_ position: Int, to alignment: Int) -> Int? {
    let (sum, overflow) = position.addingReportingOverflow(alignment - 1)
    return overflow ? nil : sum / alignment * alignment
  }
}

extension ElementType {
  /// The number of the type in a GGUF file; nil if the format has none.
  var ggufNumber: UInt32? {
    switch self {
    case .float32: 0
    case .float16: 1
    case .int8: 24
    case .int16: 25
    case .int32: 26
    case .int64: 27
    case .float64: 28
    case .bfloat16: 30
    case .bool, .uint8, .uint16, .uint32, .uint64: nil
    }
  }

  /// The type of a number in a GGUF file; nil for quantized blocks and unknown numbers.
  init?(ggufNumber: UInt32) {
    guard let type = Self.allCases.first(where: { $0.ggufNumber == ggufNumber }) else {
      return nil
    }
    self = type
  }
}
