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
  computeTiles(left, right, Terms(scale: scale, keeping: keeping, offset: nil), of: &result)
}

/// Computes `result = left · right + keeping · result`, and adds a vector to each of its rows, on all
/// threads.
///
/// - Parameters:
///   - left: Shape `[m, k]` as read.
///   - right: Shape `[k, n]` as read.
///   - keeping: The factor of what `result` held; with 0, NaN in it is overwritten.
///   - offset: `n` numbers; nil adds nothing.
///   - result: Shape `[m, n]`.
package func multiplyTiled(
  _ left: MatrixView<Float>,
  _ right: MatrixView<Float>,
  keeping: Float = 0,
  adding offset: [Float]?,
  into result: inout Matrix<Float>
) {
  computeTiles(left, right, Terms(scale: 1, keeping: keeping, offset: offset), of: &result)
}

/// What a product is made of, beside its factors.
private struct Terms<Scalar: BLASScalar>: Sendable {
  /// The factor of the product.
  let scale: Scalar
  /// The factor of what the result held.
  let keeping: Scalar
  /// What is added to each row.
  let offset: [Scalar]?
}

/// Computes a product tile by tile, each tile on one thread.
private func computeTiles<Scalar: BLASScalar>(
  _ left: MatrixView<Scalar>,
  _ right: MatrixView<Scalar>,
  _ terms: Terms<Scalar>,
  of result: inout Matrix<Scalar>
) {
  let (m, n) = (result.rows, result.columns)
  precondition(m == left.outerExtent, "the result has the rows of the left factor")
  precondition(
    n == (right.isTransposed ? right.rows : right.columns),
    "the result has the columns of the right factor"
  )
  precondition(terms.offset.map { $0.count == n } ?? true, "one number for each column")
  let grid = TileGrid(rows: m, columns: n, inner: left.innerExtent)
  unsafe withTiles(of: &result, left: left, right: right) { left, right, target in
    concurrently(count: grid.count) { index in
      let (rows, columns) = grid.tile(index)
      let start = unsafe target.start + rows.lowerBound * n + columns.lowerBound
      // SAFETY: tiles of different indices do not overlap and lie within the result.
      unsafe multiplyUnchecked(
        left.view.outerSlice(rows),
        right.view.transposed.outerSlice(columns).transposed,
        scale: terms.scale,
        keeping: terms.keeping,
        into: start,
        stride: n
      )
      guard let offset = terms.offset else { return }
      // SAFETY: as above; there is one number for each column.
      unsafe add(offset.span.extracting(columns), to: start, rows: rows.count, stride: n)
    }
  }
}

/// Adds a vector to each row of a tile.
@unsafe
private func add<Scalar: BLASScalar>(
  _ vector: Span<Scalar>,
  to tile: UnsafeMutablePointer<Scalar>,
  rows: Int,
  stride: Int
) {
  for row in 0..<rows {
    let start = unsafe tile + row * stride
    // SAFETY: the caller's tile has as many columns as the vector has numbers.
    for column in 0..<vector.count { unsafe start[column] += vector[unchecked: column] }
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
