internal import Tensors

/// What stands in front of the tensors of a GGUF file, checked against the format's every rule.
struct GGUFHeader {
  /// One tensor.
  struct Tensor: Equatable {
    let name: TensorName
    let description: TensorDescription
    /// Where its bytes are, from the start of the file.
    let range: Range<Int>
  }

  /// The named values, in the order of the file.
  let metadata: [GGUFEntry]
  /// The tensors, in the order of the file.
  let tensors: [Tensor]
  /// The place of each tensor in ``tensors``.
  let places: [TensorName: Int]
}

extension GGUFHeader {
  /// A tensor before it is known where the data begins.
  private struct Announced {
    let name: TensorName
    let description: TensorDescription
    let byteCount: Int
    let offset: UInt64
  }

  /// The fewest bytes of a metadata entry: an empty key, its kind, and a value of one byte.
  private static let leastEntry = 13
  /// The fewest bytes of a tensor's entry: an empty name, one extent, type and offset.
  private static let leastTensor = 32

  /// Reads and checks the header of a file.
  ///
  /// - Parameter file: The whole file.
  /// - Throws: The first fault that was found.
  init(_ file: MappedFile) throws(GGUFFault) {
    var reader = GGUFReader(file)
    guard file.count >= GGUFLayout.magic.count,
      file.copy(0..<GGUFLayout.magic.count) == GGUFLayout.magic
    else { throw GGUFFault(.notGGUF) }
    reader.position = GGUFLayout.magic.count
    let version = try reader.integer(UInt32.self)
    guard version == GGUFLayout.version else { throw GGUFFault(.unknownVersion(version)) }
    let tensorCount = try reader.count(leastByteCount: Self.leastTensor)
    let entryCount = try reader.count(leastByteCount: Self.leastEntry)
    metadata = try Self.metadata(&reader, count: entryCount)
    let alignment = try Self.alignment(metadata)
    var announced: [Announced] = []
    for _ in 0..<tensorCount { announced.append(try Self.tensor(&reader)) }
    guard let start = GGUFLayout.aligned(reader.position, to: alignment) else {
      throw GGUFFault(.truncatedHeader)
    }
    tensors = try Self.placed(announced, from: start, alignment: alignment, in: file)
    var places: [TensorName: Int] = [:]
    for (place, tensor) in tensors.enumerated() {
      guard places.updateValue(place, forKey: tensor.name) == nil else {
        throw GGUFFault(.duplicateName("\(tensor.name)"))
      }
    }
    self.places = places
  }

  private static func metadata(
    _ reader: inout GGUFReader,
    count: Int
  ) throws(GGUFFault) -> [GGUFEntry] {
    var entries: [GGUFEntry] = []
    var keys: Set<[UInt8]> = []
    for _ in 0..<count {
      let key = try reader.text()
      let name = String(decoding: key, as: UTF8.self)
      guard name.isMetadataKey else { throw GGUFFault(.invalidKey(name)) }
      guard keys.insert(key).inserted else { throw GGUFFault(.duplicateKey(name)) }
      entries.append(GGUFEntry(name, try reader.value(key: name)))
    }
    return entries
  }

  private static func alignment(_ metadata: [GGUFEntry]) throws(GGUFFault) -> Int {
    guard let entry = metadata.first(where: { $0.key == GGUFLayout.alignmentKey }) else {
      return GGUFLayout.standardAlignment
    }
    guard case .uint32(let value) = entry.value, value >= 8, value & (value - 1) == 0 else {
      throw GGUFFault(.invalidAlignment)
    }
    return Int(value)
  }

  private static func tensor(_ reader: inout GGUFReader) throws(GGUFFault) -> Announced {
    let utf8 = try reader.text()
    let name = String(decoding: utf8, as: UTF8.self)
    guard 1...GGUFLayout.longestName ~= utf8.count else { throw GGUFFault(.invalidName(name)) }
    guard utf8.elementsEqual(name.utf8) else { throw GGUFFault(.invalidText("a tensor's name")) }
    let dimensions = try reader.integer(UInt32.self)
    guard 1...UInt32(GGUFLayout.mostDimensions) ~= dimensions else {
      throw GGUFFault(.invalidShape(name))
    }
    var shape: [Int] = []
    for _ in 0..<dimensions {
      guard let extent = Int(exactly: try reader.integer(Int64.self)), extent > 0 else {
        throw GGUFFault(.invalidShape(name))
      }
      shape.insert(extent, at: 0)
    }
    let number = try reader.integer(UInt32.self)
    guard let type = ElementType(ggufNumber: number) else {
      throw GGUFFault(.unknownElementType(name, number))
    }
    guard let byteCount = TensorDescription.checkedByteCount(type, shape) else {
      throw GGUFFault(.shapeTooLarge(name))
    }
    return Announced(
      name: TensorName(utf8: utf8),
      description: TensorDescription(elementType: type, shape: shape),
      byteCount: byteCount,
      offset: try reader.integer(UInt64.self)
    )
  }

  /// The tensors' places, if they follow each other without holes and fill the file.
  private static func placed(
    _ announced: [Announced],
    from start: Int,
    alignment: Int,
    in file: MappedFile
  ) throws(GGUFFault) -> [Tensor] {
    var position = start
    var tensors: [Tensor] = []
    for tensor in announced {
      guard tensor.offset == UInt64(position - start) else {
        throw GGUFFault(
          .wrongOffset("\(tensor.name)", expected: position - start, found: tensor.offset)
        )
      }
      let (end, overflow) = position.addingReportingOverflow(tensor.byteCount)
      guard !overflow, let next = GGUFLayout.aligned(end, to: alignment) else {
        throw GGUFFault(.shapeTooLarge("\(tensor.name)"))
      }
      tensors.append(
        Tensor(name: tensor.name, description: tensor.description, range: position..<end)
      )
      position = next
    }
    guard position == file.count else {
      throw GGUFFault(.wrongFileLength(expected: position, found: file.count))
    }
    return tensors
  }
}
