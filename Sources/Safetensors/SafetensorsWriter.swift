internal import ExactJSON
package import Tensors

/// Writes safetensors files, one tensor or a piece of one at a time, byte for byte as the reference
/// implementation.
package enum SafetensorsWriter {
  /// A tensor to be written; its content is asked for only when its turn comes.
  package struct Tensor {
    /// Its name.
    package let name: TensorName
    /// Its shape and how its numbers are stored.
    package let description: TensorDescription
    /// How many pieces its content is made in.
    package let pieces: Int
    /// Makes the bytes of one piece, by its number.
    package let piece: (Int) throws -> [UInt8]

    /// A tensor whose content is made in pieces, so that it need not fit in memory.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - description: Its shape and how its numbers are stored.
    ///   - pieces: How many there are.
    ///   - bytes: Makes the bytes of one piece, by its number; all of them, one after the other, are
    ///     the tensor, little-endian, row by row.
    package init(
      _ name: TensorName,
      _ description: TensorDescription,
      pieces: Int,
      bytes: @escaping (_ piece: Int) throws -> [UInt8]
    ) {
      self.name = name
      self.description = description
      self.pieces = pieces
      piece = bytes
    }

    /// A tensor given by its stored bytes.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - description: Its shape and how its numbers are stored.
    ///   - bytes: Makes its bytes, little-endian, row by row.
    package init(
      _ name: TensorName,
      _ description: TensorDescription,
      bytes: @escaping () throws -> [UInt8]
    ) {
      self.init(name, description, pieces: 1, bytes: { _ in try bytes() })
    }

    /// A tensor given by floating-point numbers; see `TensorDescription.bytes(of:name:)`.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - description: Its shape and how its numbers are stored.
    ///   - floats: Makes its elements, row by row.
    package init(
      _ name: TensorName,
      _ description: TensorDescription,
      floats: @escaping () throws -> [Float]
    ) {
      self.init(name, description) { try description.bytes(of: try floats(), name: name) }
    }

    /// Makes all its bytes at once, little-endian, row by row.
    ///
    /// - Returns: The bytes.
    /// - Throws: What making them throws.
    package func content() throws -> [UInt8] {
      try pieces == 1 ? piece(0) : (0..<pieces).flatMap(piece)
    }
  }

  /// Writes a file; it appears under its name only when it is complete.
  ///
  /// - Parameters:
  ///   - tensors: The tensors, in any order; they are written in the order of the reference
  ///     implementation: larger element types first, then by name.
  ///   - metadata: The file's text entries; other software expects `format`.
  ///   - path: Where the file will be; an existing file is replaced.
  ///   - isFlushed: Whether the file shall be there even after a failure of power.
  /// - Throws: ``SafetensorsError`` if the tensors cannot form a file, `TensorError` if a content
  ///   does not fit its description, `FileError` if the file cannot be written, and what the
  ///   contents throw. Then nothing is left, and an older file stays as it was.
  package static func write(
    _ tensors: [Tensor],
    metadata: [String: String] = ["format": "pt"],
    to path: String,
    isFlushed: Bool = true
  ) throws {
    let ordered = inFileOrder(tensors)
    let header = try header(ordered, metadata: metadata, path: path)
    var output = try OutputFile(path)
    try output.write(header)
    for tensor in ordered { try append(tensor, to: &output) }
    try output.commit(isFlushed: isFlushed)
  }

  /// Writes the content of a tensor, one piece at a time.
  private static func append(_ tensor: Tensor, to output: inout OutputFile) throws {
    let expected = tensor.description.byteCount
    var found = 0
    for number in 0..<tensor.pieces {
      let bytes = try tensor.piece(number)
      found += bytes.count
      try output.write(bytes)
    }
    guard found == expected else {
      throw TensorError.wrongCount(tensor.name, expected: expected, found: found)
    }
  }

  /// The size of the file that ``write(_:metadata:to:)`` would write.
  ///
  /// - Parameters:
  ///   - tensors: The tensors, in any order; no content is asked for.
  ///   - metadata: The file's text entries.
  /// - Returns: The bytes of header and data.
  /// - Throws: ``SafetensorsError`` if the tensors cannot form a file, or one of more bytes than can
  ///   be counted.
  package static func byteCount(
    of tensors: [Tensor],
    metadata: [String: String] = ["format": "pt"]
  ) throws(SafetensorsError) -> Int {
    let path = "the file to write"
    var sum = try header(inFileOrder(tensors), metadata: metadata, path: path).count
    for tensor in tensors {
      let (next, overflows) = sum.addingReportingOverflow(tensor.description.byteCount)
      guard !overflows else {
        throw SafetensorsError(path: path, fault: .shapeTooLarge("\(tensor.name)"))
      }
      sum = next
    }
    return sum
  }

  private static func inFileOrder(_ tensors: [Tensor]) -> [Tensor] {
    tensors.sorted { left, right in
      let (first, second) = (left.description.elementType.rank, right.description.elementType.rank)
      return first == second ? left.name < right.name : first > second
    }
  }

  /// The length and the header, padded so that the data begins at a multiple of eight.
  private static func header(
    _ tensors: [Tensor],
    metadata: [String: String],
    path: String
  ) throws(SafetensorsError) -> [UInt8] {
    func fault(_ fault: SafetensorsError.Fault) -> SafetensorsError {
      SafetensorsError(path: path, fault: fault)
    }
    var root = JSONObject()
    if !metadata.isEmpty {
      var texts = JSONObject()
      for (key, value) in metadata.sorted(by: { JSONText($0.key) < JSONText($1.key) }) {
        texts[JSONText(key)] = JSONValue(value)
      }
      root[SafetensorsHeader.metadataKey] = .object(texts)
    }
    var position = 0
    for tensor in tensors {
      let (key, description) = (JSONText(utf8: tensor.name.utf8), tensor.description)
      guard key != SafetensorsHeader.metadataKey else { throw fault(.reservedName(key.string)) }
      guard root[key] == nil else { throw fault(.duplicateName(key.string)) }
      let byteCount = TensorDescription.checkedByteCount(
        description.elementType,
        description.shape
      )
      guard let byteCount, byteCount <= Int.max - position else {
        throw fault(.shapeTooLarge(key.string))
      }
      root[key] = [
        "dtype": JSONValue(description.elementType.rawValue),
        "shape": .array(description.shape.map { JSONValue($0) }),
        "data_offsets": [JSONValue(position), JSONValue(position + byteCount)],
      ]
      position += byteCount
    }
    return try framed(JSONWriter.write(.object(root)), path: path)
  }

  private static func framed(
    _ header: [UInt8],
    path: String
  ) throws(SafetensorsError) -> [UInt8] {
    let alignment = 8
    let padding = (alignment - header.count % alignment) % alignment
    let length = UInt64(header.count + padding)
    guard length <= UInt64(SafetensorsHeader.maximumByteCount) else {
      throw SafetensorsError(path: path, fault: .headerTooLong(length))
    }
    let prefix = (0..<SafetensorsHeader.prefixByteCount).map {
      UInt8(truncatingIfNeeded: length >> UInt64(8 * $0))
    }
    return prefix + header + [UInt8](repeating: UInt8(ascii: " "), count: padding)
  }
}

extension ElementType {
  /// The place of the type in the order of the reference implementation.
  fileprivate var rank: Int {
    switch self {
    case .bool: 0
    case .uint8: 1
    case .int8: 2
    case .int16: 3
    case .uint16: 4
    case .float16: 5
    case .bfloat16: 6
    case .int32: 7
    case .uint32: 8
    case .float32: 9
    case .float64: 10
    case .int64: 11
    case .uint64: 12
    }
  }
}
