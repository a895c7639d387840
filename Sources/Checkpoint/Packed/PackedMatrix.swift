internal import Tensors

/// One packed matrix of a file, its parts checked against each other.
struct PackedMatrix: Sendable {
  /// The name of the matrix that the parts stand for, `P.weight`.
  let name: TensorName
  /// The matrix that the parts stand for.
  let description: TensorDescription
  private let stem: TensorName
  private let format: PackedFormat

  /// Checks the parts' shapes and element types; their content is checked when it is expanded.
  ///
  /// - Parameters:
  ///   - stem: `P`.
  ///   - source: The file.
  /// - Throws: ``CheckpointError/invalidPacking(_:reason:)``, or what reading the shape throws.
  init(_ stem: TensorName, in source: any TensorSource) throws {
    name = TensorName(utf8: stem.utf8 + PackedFormat.suffix)
    self.stem = stem
    func fault(_ reason: String) -> CheckpointError {
      .invalidPacking(PackedFormat.Part.compressed.name(of: stem), reason: reason)
    }
    guard source.description(of: name) == nil else { throw fault("\(name) is stored as well") }
    let hasOffsets = source.description(of: PackedFormat.Part.rowOffsets.name(of: stem)) != nil
    format = hasOffsets ? .bitmask : .twoOfFour
    let shapeName = PackedFormat.Part.shape.name(of: stem)
    let compressedName = PackedFormat.Part.compressed.name(of: stem)
    guard let shape = source.description(of: shapeName), shape.count == 2,
      let compressed = source.description(of: compressedName)
    else { throw fault("\(shapeName) is missing or does not hold two numbers") }
    let extents = try source.integers(shapeName)
    description = TensorDescription(elementType: compressed.elementType, shape: extents)
    guard compressed.elementType.isFloatingPoint,
      TensorDescription.checkedByteCount(compressed.elementType, extents) != nil
    else { throw fault("it does not hold floating-point numbers of a matrix \(extents)") }
    if format == .twoOfFour, extents[1] % 4 != 0 {
      throw fault("rows of \(extents[1]) elements cannot be cut into fours")
    }
    for (part, expected) in format.parts(of: description, kept: compressed.count) {
      let name = part.name(of: stem)
      guard let found = source.description(of: name), found == expected else {
        throw fault("\(name) is missing or not \(expected.elementType.rawValue) \(expected.shape)")
      }
    }
  }

  /// The names of the tensors that make up the matrix.
  var parts: [TensorName] {
    format.parts(of: description, kept: 0).map { $0.part.name(of: stem) }
  }

  /// The bytes of the matrix with its zeros.
  ///
  /// - Parameter source: The file.
  /// - Returns: The elements row by row, little-endian.
  /// - Throws: ``CheckpointError/invalidPacking(_:reason:)`` if the mask contradicts the other parts,
  ///   or what reading throws.
  func expanded(from source: any TensorSource) throws -> [UInt8] {
    let mask = try source.bytes(PackedFormat.Part.bitmask.name(of: stem))
    let kept = try source.bytes(PackedFormat.Part.compressed.name(of: stem))
    let size = description.elementType.byteCount
    try check(mask, kept: kept.count / size, source)
    let (rows, columns) = (description.shape[0], description.shape[1])
    let width = PackedFormat.maskBytes(columns: columns)
    var result = [UInt8](repeating: 0, count: description.byteCount)
    var position = 0
    for index in mask.indices {
      let (row, byte) = index.quotientAndRemainder(dividingBy: width)
      precondition(row < rows, "the mask has the checked shape")
      var bits = mask[index]
      while bits != 0 {
        let target = (row * columns + byte * 8 + bits.trailingZeroBitCount) * size
        for offset in 0..<size { result[target + offset] = kept[position + offset] }
        position += size
        bits &= bits - 1
      }
    }
    return result
  }

  /// Refuses a mask that contradicts the shape, the kept elements, or the rows' beginnings.
  private func check(_ mask: [UInt8], kept: Int, _ source: any TensorSource) throws {
    let (rows, columns) = (description.shape[0], description.shape[1])
    let width = PackedFormat.maskBytes(columns: columns)
    let spare = UInt8(truncatingIfNeeded: 0xFF << ((columns - 1) % 8 + 1))
    func fault(_ reason: String) -> CheckpointError {
      .invalidPacking(PackedFormat.Part.bitmask.name(of: stem), reason: reason)
    }
    let offsets =
      format == .bitmask ? try source.integers(PackedFormat.Part.rowOffsets.name(of: stem)) : nil
    var count = 0
    for row in 0..<(width == 0 ? 0 : rows) {
      if let offsets, offsets[row] != count {
        throw fault("row \(row) begins at \(count) by the mask, at \(offsets[row]) as stored")
      }
      let bytes = mask[row * width..<(row + 1) * width]
      guard columns % 8 == 0 || bytes[bytes.endIndex - 1] & spare == 0 else {
        throw fault("row \(row) keeps elements beyond its \(columns) columns")
      }
      if format == .twoOfFour, !Self.keepsTwoOfFour(bytes, columns: columns) {
        throw fault("row \(row) does not keep two of each four elements")
      }
      count += bytes.reduce(0) { $0 + $1.nonzeroBitCount }
    }
    guard count == kept else { throw fault("it keeps \(count) elements, but \(kept) are stored") }
  }

  private static func keepsTwoOfFour(_ row: ArraySlice<UInt8>, columns: Int) -> Bool {
    (0..<columns / 4).allSatisfy { group in
      let byte = row[row.startIndex + group / 2]
      return (group % 2 == 0 ? byte & 0xF : byte >> 4).nonzeroBitCount == 2
    }
  }
}
