internal import Checkpoint
internal import Tensors

/// Which elements of a stored matrix are kept: a bit each, as ``PackedFormat`` lays them out.
struct SparseMask {
  /// The bits, row after row.
  private(set) var bytes: [UInt8]
  private let rows: Int
  private let columns: Int
  private let elementSize: Int

  /// The elements of a matrix that are not zero.
  ///
  /// - Parameters:
  ///   - matrix: Two extents.
  ///   - stored: Its elements, row by row; zeros have no sign.
  init(_ matrix: TensorDescription, _ stored: [UInt8]) {
    (rows, columns) = (matrix.shape[0], matrix.shape[1])
    elementSize = matrix.elementType.byteCount
    let width = PackedFormat.maskBytes(columns: columns)
    bytes = [UInt8](repeating: 0, count: rows * width)
    var position = 0
    for row in 0..<rows {
      for column in 0..<columns {
        var bits: UInt8 = 0
        for offset in 0..<elementSize { bits |= stored[position + offset] }
        position += elementSize
        if bits != 0 { bytes[row * width + column / 8] |= 1 << (column % 8) }
      }
    }
  }

  /// The number of kept elements.
  var population: Int { bytes.reduce(0) { $0 + $1.nonzeroBitCount } }

  /// Whether rows can be cut into fours of which at most two are kept each.
  var keepsAtMostTwoOfFour: Bool {
    columns % 4 == 0
      && bytes.allSatisfy { ($0 & 0xF).nonzeroBitCount <= 2 && ($0 >> 4).nonzeroBitCount <= 2 }
  }

  /// The mask with two elements kept of each four: the first ones where fewer were.
  func filledToTwoOfFour() -> SparseMask {
    var result = self
    let width = PackedFormat.maskBytes(columns: columns)
    for index in bytes.indices {
      var byte = Self.filled[Int(bytes[index] & 0xF)]
      // The last byte of a row may hold one group of four alone.
      let isWhole = (index % width + 1) * 8 <= columns
      if isWhole { byte |= Self.filled[Int(bytes[index] >> 4)] << 4 }
      result.bytes[index] = byte
    }
    return result
  }

  /// Where each row begins among the kept elements.
  var rowOffsets: [Int64] {
    let width = PackedFormat.maskBytes(columns: columns)
    var count = 0
    return (0..<rows).map { row in
      defer {
        for byte in bytes[row * width..<(row + 1) * width] { count += byte.nonzeroBitCount }
      }
      return Int64(count)
    }
  }

  /// The kept elements.
  ///
  /// - Parameter stored: All elements, row by row.
  /// - Returns: Those whose bit is set.
  func select(from stored: [UInt8]) -> [UInt8] {
    let width = PackedFormat.maskBytes(columns: columns)
    var result = [UInt8](repeating: 0, count: population * elementSize)
    var position = 0
    for index in bytes.indices {
      let (row, byte) = index.quotientAndRemainder(dividingBy: width)
      var bits = bytes[index]
      while bits != 0 {
        let start = (row * columns + byte * 8 + bits.trailingZeroBitCount) * elementSize
        for offset in 0..<elementSize { result[position + offset] = stored[start + offset] }
        position += elementSize
        bits &= bits - 1
      }
    }
    return result
  }

  /// For each pattern of four bits with at most two set, the pattern with the lowest others added.
  private static let filled: [UInt8] = (0..<16).map { pattern in
    var bits = UInt8(pattern)
    while bits.nonzeroBitCount < 2 { bits |= bits + 1 }
    return bits
  }
}
