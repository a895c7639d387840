#if OneDNN
  internal import COneDNN
  import LinearAlgebra

  /// A product of two matrices that oneDNN computes, tile by tile, each on one thread.
  struct OneDNNProduct {
    /// What oneDNN computes with; made once in a process and never given back.
    // SAFETY: oneDNN's engines may be used by several threads at once.
    private nonisolated(unsafe) static let engine = unsafe surgeon_bfloat16_engine()

    private let left: BFloat16Matrix
    private let right: BFloat16Matrix
    private let isTransposed: Bool
    private let keeping: Float

    /// A product; nil if oneDNN can compute none here.
    init?(_ left: BFloat16Matrix, _ right: BFloat16Matrix, isTransposed: Bool, keeping: Float) {
      guard BFloat16Support.current != .processorLacks, unsafe Self.engine != nil,
        left.columns > 0
      else { return nil }
      self.left = left
      self.right = right
      self.isTransposed = isTransposed
      self.keeping = keeping
    }

    /// Computes it into a matrix of the product's shape.
    func compute(into result: inout Matrix<Float>) {
      let columns = result.columns
      let grid = TileGrid(rows: result.rows, columns: columns, inner: left.columns)
      unsafe result.storage.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        // SAFETY: tiles of different indices do not overlap and lie within the result.
        nonisolated(unsafe) let start = unsafe base
        concurrently(count: grid.count) { index in
          let tile = grid.tile(index)
          let place = tile.rows.lowerBound * columns + tile.columns.lowerBound
          unsafe compute(tile, into: start + place)
        }
      }
    }

    /// Computes a tile, the first number of which is at `start`, on the calling thread.
    @unsafe
    private func compute(
      _ tile: (rows: Range<Int>, columns: Range<Int>),
      into start: UnsafeMutablePointer<Float>
    ) {
      let inner = left.columns
      let width = right.columns
      let first = tile.columns.lowerBound
      let rightStart = isTransposed ? first * width : first
      let columns = isTransposed ? right.rows : width
      let rightStrides = isTransposed ? (1, width) : (width, 1)
      // SAFETY: the tile lies within the result, its rows and columns within the factors.
      let status = unsafe left.storage.withUnsafeBufferPointer { leftBuffer in
        unsafe right.storage.withUnsafeBufferPointer { rightBuffer in
          unsafe surgeon_bfloat16_multiply(
            Self.engine,
            leftBuffer.baseAddress.map { unsafe $0 + tile.rows.lowerBound * inner },
            surgeon_extent(tile.rows.count, inner, strides: (inner, 1)),
            rightBuffer.baseAddress.map { unsafe $0 + rightStart },
            surgeon_extent(inner, tile.columns.count, strides: rightStrides),
            keeping,
            start,
            surgeon_extent(tile.rows.count, tile.columns.count, strides: (columns, 1))
          )
        }
      }
      precondition(status == 0, "oneDNN computes a product of two matrices; it returned \(status)")
    }
  }

  extension surgeon_extent {
    fileprivate init(_ rows: Int, _ columns: Int, strides: (row: Int, column: Int)) {
      self.init(
        rows: Int64(rows),
        columns: Int64(columns),
        row_stride: Int64(strides.row),
        column_stride: Int64(strides.column)
      )
    }
  }
#endif
