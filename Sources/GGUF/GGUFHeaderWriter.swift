internal import Tensors

/// Makes all bytes in front of the tensors.
struct GGUFHeaderWriter {
  private var bytes: [UInt8] = []

  /// The magic, the metadata and the tensors' places, padded to where the tensors begin.
  static func header(
    _ metadata: [GGUFEntry],
    _ tensors: [GGUFWriter.Tensor]
  ) throws(GGUFFault) -> [UInt8] {
    try check(metadata)
    var writer = GGUFHeaderWriter()
    writer.bytes += GGUFLayout.magic
    writer.append(GGUFLayout.version)
    writer.append(UInt64(tensors.count))
    writer.append(UInt64(metadata.count))
    for entry in metadata {
      writer.append(text: Array(entry.key.utf8))
      writer.append(entry.value.type.rawValue)
      writer.append(entry.value)
    }
    try writer.append(tensors)
    let padding = -writer.bytes.count & (GGUFLayout.standardAlignment - 1)
    return writer.bytes + [UInt8](repeating: 0, count: padding)
  }

  private static func check(_ metadata: [GGUFEntry]) throws(GGUFFault) {
    var keys: Set<[UInt8]> = []
    for entry in metadata {
      guard entry.key.isMetadataKey else { throw GGUFFault(.invalidKey(entry.key)) }
      guard keys.insert(Array(entry.key.utf8)).inserted else {
        throw GGUFFault(.duplicateKey(entry.key))
      }
      // Tensors are placed at multiples of the standard alignment.
      guard entry.key != GGUFLayout.alignmentKey else { throw GGUFFault(.invalidAlignment) }
    }
  }

  private mutating func append(_ tensors: [GGUFWriter.Tensor]) throws(GGUFFault) {
    var names: Set<TensorName> = []
    var offset = 0
    for tensor in tensors {
      let (name, description) = (tensor.name, tensor.description)
      guard names.insert(name).inserted else { throw GGUFFault(.duplicateName("\(name)")) }
      guard 1...GGUFLayout.longestName ~= name.utf8.count else {
        throw GGUFFault(.invalidName("\(name)"))
      }
      guard 1...GGUFLayout.mostDimensions ~= description.shape.count,
        description.shape.allSatisfy({ $0 > 0 })
      else { throw GGUFFault(.invalidShape("\(name)")) }
      let type = description.elementType
      guard type.isFloatingPoint, let number = type.ggufNumber else {
        throw GGUFFault(.unsupportedElementType("\(name)", type.rawValue))
      }
      append(text: name.utf8)
      append(UInt32(description.shape.count))
      for extent in description.shape.reversed() { append(UInt64(extent)) }
      append(number)
      append(UInt64(offset))
      guard let count = TensorDescription.checkedByteCount(type, description.shape),
        let next = GGUFLayout.aligned(count, to: GGUFLayout.standardAlignment),
        next <= Int.max - offset
      else { throw GGUFFault(.shapeTooLarge("\(name)")) }
      offset += next
    }
  }

  private mutating func append(_ value: GGUFValue) {
    switch value {
    case .uint8(let value): append(value)
    case .int8(let value): append(value)
    case .uint16(let value): append(value)
    case .int16(let value): append(value)
    case .uint32(let value): append(value)
    case .int32(let value): append(value)
    case .float32(let value): append(value.bitPattern)
    case .bool(let value): append(UInt8(value ? 1 : 0))
    case .text(let text): append(text: text)
    case .array(let array):
      append(array.elementType.rawValue)
      append(UInt64(array.elements.count))
      for element in array.elements { append(element) }
    case .uint64(let value): append(value)
    case .int64(let value): append(value)
    case .float64(let value): append(value.bitPattern)
    }
  }

  private mutating func append(text: [UInt8]) {
    append(UInt64(text.count))
    bytes += text
  }

  private mutating func append(_ value: some FixedWidthInteger) {
    for shift in stride(from: 0, to: value.bitWidth, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }
}

extension String {
  /// Whether this may be the key of a metadata value.
  var isMetadataKey: Bool {
    1...GGUFLayout.longestKey ~= utf8.count
      && utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
          UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }
}
