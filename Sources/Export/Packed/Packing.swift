internal import Checkpoint
internal import ExactJSON
import Safetensors
internal import Tensors
internal import Transformer

/// How each linear layer's matrix is packed: in whatever is smallest.
struct Packing {
  /// A matrix that is packed.
  struct Matrix {
    /// Its name, `P.weight`.
    let name: TensorName
    /// `P`.
    let stem: TensorName
    /// Its shape and element type.
    let description: TensorDescription
    /// How it is packed.
    let format: PackedFormat
    /// The elements that are kept.
    let kept: Int
  }

  /// The matrices that are packed; others stay as they are.
  let matrices: [Matrix]
  /// What old versions of compressed-tensors want to know; nil where formats are mixed.
  let legacyEntry: JSONValue?

  /// What was counted in one matrix.
  private struct Census {
    let name: TensorName
    let stem: TensorName
    let description: TensorDescription
    let kept: Int
    let fitsTwoOfFour: Bool
  }

  /// Counts the zeros of a model, one matrix in memory at a time, and chooses.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - inOneFormat: Whether all matrices get one format, be it smaller than zeros or not.
  /// - Throws: ``ExportError/notPackable(_:shape:)``, or what reading the weights throws.
  init(_ model: DecoderModel, inOneFormat: Bool) throws {
    let counts = try model.linears.map { try Self.count($0.weight, model.source) }
    let total = counts.reduce(0) { $0 + $1.description.count }
    let kept = counts.reduce(0) { $0 + $1.kept }
    guard inOneFormat else {
      matrices = counts.compactMap { census in
        Self.smallest(census).map { Self.matrix(census, $0) }
      }
      legacyEntry = nil
      return
    }
    let format: PackedFormat = counts.allSatisfy(\.fitsTwoOfFour) ? .twoOfFour : .bitmask
    matrices = counts.map { Self.matrix($0, format) }
    let share = total == 0 ? 0 : 1 - Double(kept) / Double(total)
    legacyEntry = PackedConfiguration.entry(format, head: "lm_head", share: share)
  }

  /// The tensors that take the place of the packed matrices.
  ///
  /// - Parameter source: The weights.
  /// - Returns: The tensors by the name of the matrix.
  func substitutes(_ source: any TensorSource) -> [TensorName: [SafetensorsWriter.Tensor]] {
    Dictionary(
      uniqueKeysWithValues: matrices.map { matrix in
        let tensors = matrix.format.parts(of: matrix.description, kept: matrix.kept).map {
          part,
          description in
          SafetensorsWriter.Tensor(
            part.name(of: matrix.stem),
            description,
            bytes: { try matrix.content(part, source) }
          )
        }
        return (matrix.name, tensors)
      }
    )
  }

  private static func count(_ name: TensorName, _ source: any TensorSource) throws -> Census {
    let description = try source.existing(name)
    guard let stem = PackedFormat.stem(of: name), description.shape.count == 2 else {
      throw ExportError.notPackable(name, shape: description.shape)
    }
    let mask = SparseMask(description, try description.unsigned(source.bytes(name)))
    return Census(
      name: name,
      stem: stem,
      description: description,
      kept: mask.population,
      fitsTwoOfFour: mask.keepsAtMostTwoOfFour
    )
  }

  private static func matrix(_ census: Census, _ format: PackedFormat) -> Matrix {
    Matrix(
      name: census.name,
      stem: census.stem,
      description: census.description,
      format: format,
      kept: census.kept
    )
  }

  /// The format that takes the fewest bytes; nil if none takes fewer than the matrix itself.
  private static func smallest(_ census: Census) -> PackedFormat? {
    var best: (format: PackedFormat?, byteCount: Int) = (nil, census.description.byteCount)
    for format in [PackedFormat.twoOfFour, .bitmask]
    where format != .twoOfFour || census.fitsTwoOfFour {
      let parts = format.parts(of: census.description, kept: census.kept)
      let byteCount = parts.reduce(0) { $0 + $1.description.byteCount }
      if byteCount < best.byteCount { best = (format, byteCount) }
    }
    return best.format
  }
}

extension Packing.Matrix {
  /// The bytes of one of the tensors that take the place of the matrix.
  fileprivate func content(_ part: PackedFormat.Part, _ source: any TensorSource) throws -> [UInt8]
  {
    if part == .shape { return Self.bytes(description.shape.map(Int64.init)) }
    let stored = try description.unsigned(source.bytes(name))
    var mask = SparseMask(description, stored)
    if format == .twoOfFour { mask = mask.filledToTwoOfFour() }
    return switch part {
    case .bitmask: mask.bytes
    case .compressed: mask.select(from: stored)
    case .rowOffsets, .shape: Self.bytes(mask.rowOffsets)
    }
  }

  private static func bytes(_ numbers: [Int64]) -> [UInt8] {
    numbers.flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
  }
}

extension TensorDescription {
  /// Stored elements with zeros that have no sign.
  fileprivate func unsigned(_ bytes: [UInt8]) -> [UInt8] {
    elementType.withoutNegativeZeros(bytes)
  }
}
