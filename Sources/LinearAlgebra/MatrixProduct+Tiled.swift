/// Computes `result = scale · left · right + keeping · result` on all threads.
///
/// The result is cut into tiles by its shape alone, so its bits do not depend on the number of
/// threads.
///
/// - Parameters:
///   - left: Shape `[m, k]` as read.
///   - right: Shape `[k, n]` as read.
///   - scale: The factor of the product.
///   - keeping: The factor of what `result` held; with 0, NaN in it is overwritten.
///   - result: Shape `[m, n]`.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
package func multiplyTiled<Scalar: BLASScalar>(
  _ left: MatrixView<Scalar>,
  _ right: MatrixView<Scalar>,
  scale: Scalar = 1,
  keeping: Scalar = 0,
  into result: inout Matrix<Scalar>
) {
  let (m, n) = (result.rows, result.columns)
  precondition(m == left.outerExtent, "the result has the rows of the left factor")
  precondition(
    n == (right.isTransposed ? right.rows : right.columns),
    "the result has the columns of the right factor"
  )
  let grid = TileGrid(rows: m, columns: n, inner: left.innerExtent)
  unsafe withTiles(of: &result, left: left, right: right) { left, right, target in
    concurrently(count: grid.count) { index in
      let (rows, columns) = grid.tile(index)
      // SAFETY: tiles of different indices do not overlap and lie within the result.
      unsafe multiplyUnchecked(
        left.view.outerSlice(rows),
        right.view.transposed.outerSlice(columns).transposed,
        scale: scale,
        keeping: keeping,
        into: target.start + rows.lowerBound * n + columns.lowerBound,
        stride: n
      )
    }
  }
}

/// How a result is cut into tiles: a function of its shape, never of the machine.
private struct TileGrid: Sendable {
  let rows: Int
  let columns: Int
  let tileRows: Int
  let tileColumns: Int

  init(rows: Int, columns: Int, inner: Int) {
    self.rows = rows
    self.columns = columns
    // Below this many multiplications a second thread costs more than it brings.
    let isSmall = Double(rows) * Double(columns) * Double(inner) < 1_000_000
    if isSmall {
      (tileRows, tileColumns) = (max(1, rows), max(1, columns))
    } else if rows >= 1024 {
      // Enough rows for every thread: wide tiles, so that little is packed twice.
      (tileRows, tileColumns) = (256, min(columns, 1024))
    } else {
      tileRows = TileGrid.edge(rows, most: 512)
      tileColumns = TileGrid.edge(columns, most: 1024)
    }
  }

  /// A quarter of the extent, no less than 64 and no more than `most`, a multiple of 16.
  private static func edge(_ extent: Int, most: Int) -> Int {
    min(most, max(64, (extent / 4 + 15) & ~15))
  }

  var count: Int {
    ((rows + tileRows - 1) / tileRows) * ((columns + tileColumns - 1) / tileColumns)
  }

  func tile(_ index: Int) -> (rows: Range<Int>, columns: Range<Int>) {
    let across = (columns + tileColumns - 1) / tileColumns
    let (row, column) = index.quotientAndRemainder(dividingBy: across)
    return (
      row * tileRows..<min(rows, (row + 1) * tileRows),
      column * tileColumns..<min(columns, (column + 1) * tileColumns)
    )
  }
}

extension MatrixView {
  /// The part of the rectangle whose outer extent, as read, is `range`.
  @_lifetime(copy self)
  func outerSlice(_ range: Range<Int>) -> MatrixView {
    let start = isTransposed ? range.lowerBound : range.lowerBound * stride
    var slice = MatrixView(
      elements.extracting(min(start, elements.count)..<elements.count),
      rows: isTransposed ? rows : range.count,
      columns: isTransposed ? range.count : columns,
      stride: stride
    )
    slice.isTransposed = isTransposed
    return slice
  }
}

/// A view that may cross into the threads of one product, which ends before the view's owner does.
@unsafe
struct SharedView<Scalar: BLASScalar>: @unchecked Sendable {
  let base: UnsafeBufferPointer<Scalar>
  let rows: Int
  let columns: Int
  let stride: Int
  let isTransposed: Bool

  var view: MatrixView<Scalar> {
    @_lifetime(borrow self) get {
      // SAFETY: `withTiles` keeps the buffer alive until every tile is computed.
      let span = unsafe Span(_unsafeElements: base)
      var view = unsafe MatrixView(span, rows: rows, columns: columns, stride: stride)
      view.isTransposed = unsafe isTransposed
      return unsafe _overrideLifetime(view, borrowing: self)
    }
  }
}

/// The start of a result whose tiles the threads of one product write; no two tiles overlap.
@unsafe
struct SharedTarget<Scalar: BLASScalar>: @unchecked Sendable {
  let start: UnsafeMutablePointer<Scalar>
}

/// Gives `body` both factors and the start of `result` in a form that threads can share.
func withTiles<Scalar: BLASScalar>(
  of result: inout Matrix<Scalar>,
  left: MatrixView<Scalar>,
  right: MatrixView<Scalar>,
  _ body: (SharedView<Scalar>, SharedView<Scalar>, SharedTarget<Scalar>) -> Void
) {
  unsafe left.elements.withUnsafeBufferPointer { leftBase in
    unsafe right.elements.withUnsafeBufferPointer { rightBase in
      unsafe result.storage.withUnsafeMutableBufferPointer { target in
        guard let start = target.baseAddress else { return }
        let sharedLeft = unsafe SharedView(
          base: leftBase,
          rows: left.rows,
          columns: left.columns,
          stride: left.stride,
          isTransposed: left.isTransposed
        )
        let sharedRight = unsafe SharedView(
          base: rightBase,
          rows: right.rows,
          columns: right.columns,
          stride: right.stride,
          isTransposed: right.isTransposed
        )
        unsafe body(sharedLeft, sharedRight, SharedTarget(start: start))
      }
    }
  }
}
