package import Tensors

/// How a matrix with zeros is stored without them: the layouts that compressed-tensors calls
/// `sparse-bitmask` and `sparse-24-bitmask`.
///
/// In place of `P.weight`, shape `[rows, columns]`, stand the kept elements row by row, a mask with
/// one bit for each element (least significant first, each row from a new byte on), and the shape.
package enum PackedFormat: String, CaseIterable, Sendable {
  /// As many kept elements as there are, and where each row begins among them.
  case bitmask = "sparse-bitmask"
  /// Two elements of each four in a row; where fewer are other than zero, zeros fill up.
  case twoOfFour = "sparse-24-bitmask"

  /// What stands behind `P.` in the names of the tensors that take the place of `P.weight`.
  package enum Part: String, CaseIterable, Sendable {
    /// The kept elements.
    case compressed
    /// The mask.
    case bitmask
    /// Where each row begins, in ``PackedFormat/bitmask`` alone.
    case rowOffsets = "row_offsets"
    /// Rows and columns.
    case shape

    /// The tensor's name.
    ///
    /// - Parameter stem: `P`.
    /// - Returns: `P.part`.
    package func name(of stem: TensorName) -> TensorName {
      TensorName(utf8: stem.utf8 + Array(".\(rawValue)".utf8))
    }
  }

  /// What ends the name of a tensor that can be packed.
  static let suffix = Array(".weight".utf8)

  /// `P` of a tensor's name `P.weight`; nil for other names.
  package static func stem(of name: TensorName) -> TensorName? {
    guard name.utf8.count > suffix.count, name.utf8.suffix(suffix.count).elementsEqual(suffix)
    else { return nil }
    return TensorName(utf8: Array(name.utf8.dropLast(suffix.count)))
  }

  /// The bytes of the mask of one row.
  package static func maskBytes(columns: Int) -> Int { columns / 8 + (columns % 8 == 0 ? 0 : 1) }

  /// The tensors that a matrix becomes.
  ///
  /// - Parameters:
  ///   - matrix: The matrix, two extents.
  ///   - kept: The number of elements that are kept.
  /// - Returns: The parts with their shapes and element types.
  package func parts(
    of matrix: TensorDescription,
    kept: Int
  ) -> [(part: Part, description: TensorDescription)] {
    let (rows, columns) = (matrix.shape[0], matrix.shape[1])
    func part(_ part: Part, _ type: ElementType, _ shape: [Int]) -> (Part, TensorDescription) {
      (part, TensorDescription(elementType: type, shape: shape))
    }
    let mask = part(.bitmask, .uint8, [rows, Self.maskBytes(columns: columns)])
    return switch self {
    case .bitmask:
      [
        part(.compressed, matrix.elementType, [kept]), mask, part(.rowOffsets, .int64, [rows]),
        part(.shape, .int64, [2]),
      ]
    case .twoOfFour:
      [
        part(.compressed, matrix.elementType, [rows, columns / 2]), mask,
        part(.shape, .int64, [2, 1]),
      ]
    }
  }
}
