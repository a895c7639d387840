import COpenBLAS

/// Adds `scale · samplesᵀ samples` to the symmetric matrix `sum`, on all threads.
///
/// Only what is on and below the diagonal is computed; what is above is copied from it by
/// ``mirrorLowerTriangle(of:)``, which the caller runs once, after the last addition.
///
/// - Parameters:
///   - samples: One sample a row, shape `[samples, n]`.
///   - scale: The factor of the product.
///   - sum: Shape `[n, n]`; entries above the diagonal are left in an unspecified state.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
package func addGram<Scalar: BLASScalar>(
  of samples: MatrixView<Scalar>,
  scale: Scalar = 1,
  to sum: inout Matrix<Scalar>
) {
  let order = sum.rows
  precondition(sum.columns == order && samples.innerExtent == order, "one column for each column")
  let grid = GramGrid(order: order, edge: GramGrid.edgeOfOne(order))
  let count = samples.outerExtent
  unsafe withTiles(of: &sum, left: samples, right: samples) { left, _, target in
    concurrently(count: grid.count) { index in
      // A few samples at a time stay in the cache while both factors of a tile are read.
      for first in stride(from: 0, to: count, by: GramGrid.samplesAtOnce) {
        let some = first..<min(count, first + GramGrid.samplesAtOnce)
        // SAFETY: tiles of different indices do not overlap and lie within the sum.
        unsafe addTile(
          grid.tile(index),
          of: left.view.outerSlice(some),
          scale: scale,
          to: target,
          order: order
        )
      }
    }
  }
}

/// Adds to each of several symmetric matrices the Gram matrix of its samples, all in one parallel
/// region, so that small matrices leave no thread idle.
///
/// - Parameters:
///   - samples: For each sum the samples in pieces, one sample a row, shape `[samples, n]` each.
///   - sums: Shape `[n, n]` each, `n` above zero; entries above the diagonal are left in an unspecified state.
package func addGrams(of samples: [[Matrix<Float>]], to sums: inout [Matrix<Float>]) {
  precondition(samples.count == sums.count, "samples for each sum")
  for (pieces, sum) in zip(samples, sums) {
    precondition(
      sum.rows > 0 && sum.rows == sum.columns && pieces.allSatisfy { $0.columns == sum.rows },
      "one column for each column"
    )
  }
  let orders = sums.map(\.rows)
  let grids = GramGrid.grids(of: orders)
  // The largest first, so that no thread begins a long piece of work at the end.
  let tasks = grids.indices.flatMap { sum in (0..<grids[sum].count).map { (sum: sum, tile: $0) } }
    .sorted { left, right in
      let (one, other) = (grids[left.sum].work(left.tile), grids[right.sum].work(right.tile))
      return one != other ? one > other : (left.sum, left.tile) < (right.sum, right.tile)
    }
  unsafe withTargets(&sums) { targets in
    concurrently(count: tasks.count) { index in
      let (sum, tile) = tasks[index]
      for piece in samples[sum] {
        // SAFETY: tiles of different tasks do not overlap and lie within their sums.
        unsafe addTile(
          grids[sum].tile(tile),
          of: piece.view,
          scale: 1,
          to: targets[sum],
          order: orders[sum]
        )
      }
    }
  }
}

/// The row and column of entry `index` of a lower triangle that is stored row by row.
func lowerTrianglePosition(_ index: Int) -> (row: Int, column: Int) {
  var row = 0
  var start = 0
  while start + row + 1 <= index {
    start += row + 1
    row += 1
  }
  return (row, index - start)
}

/// How the lower triangle of a symmetric matrix is cut into tiles: a function of its order alone.
private struct GramGrid: Sendable {
  /// How many samples are added at a time.
  static let samplesAtOnce = 512

  let order: Int
  let edge: Int

  /// The grids of matrices that are summed in one region: tiles are as large as pays, so that little is
  /// copied, but none is more than an eighth of all the work.
  static func grids(of orders: [Int]) -> [GramGrid] {
    let work = orders.reduce(0) { $0 + Double($1) * Double($1) / 2 }
    let most = min(768, max(192, Int((work / 8).squareRoot())))
    return orders.map { order in
      let side = (order + most - 1) / most
      return GramGrid(order: order, edge: ((order + side - 1) / side + 15) & ~15)
    }
  }

  /// A quarter of the order, between 128 and 512, a multiple of 16.
  static func edgeOfOne(_ order: Int) -> Int { min(512, max(128, (order / 4 + 15) & ~15)) }

  private var side: Int { (order + edge - 1) / edge }
  var count: Int { side * (side + 1) / 2 }

  /// The rows and columns of a tile; equal on the diagonal.
  func tile(_ index: Int) -> (rows: Range<Int>, columns: Range<Int>) {
    let (row, column) = lowerTrianglePosition(index)
    return (extent(row), extent(column))
  }

  /// The multiplications of a tile for one sample.
  func work(_ index: Int) -> Int {
    let (rows, columns) = tile(index)
    let product = rows.count * columns.count
    return rows == columns ? product / 2 : product
  }

  private func extent(_ number: Int) -> Range<Int> {
    number * edge..<min(order, (number + 1) * edge)
  }
}

/// Adds to one tile of a sum of order `order` what some samples contribute; on the diagonal only to
/// its lower triangle.
@unsafe
private func addTile<Scalar: BLASScalar>(
  _ tile: (rows: Range<Int>, columns: Range<Int>),
  of samples: MatrixView<Scalar>,
  scale: Scalar,
  to target: SharedTarget<Scalar>,
  order: Int
) {
  let start = unsafe target.start + tile.rows.lowerBound * order + tile.columns.lowerBound
  let rows = samples.transposed.outerSlice(tile.rows)
  guard tile.rows == tile.columns else {
    // SAFETY: the caller's tile lies within the sum.
    return unsafe multiplyUnchecked(
      rows,
      samples.transposed.outerSlice(tile.columns).transposed,
      scale: scale,
      keeping: 1,
      into: start,
      stride: order
    )
  }
  // SAFETY: as above.
  unsafe addSymmetric(rows, scale: scale, to: start, order: order)
}

/// Adds `samplesᵀ samples` to the lower triangle of a symmetric matrix, undivided, on the calling
/// thread.
///
/// - Parameters:
///   - samples: One sample a row, shape `[samples, n]`.
///   - sum: Shape `[n, n]`.
package func addGramUndivided(of samples: MatrixView<Float>, to sum: inout Matrix<Float>) {
  let order = sum.rows
  precondition(sum.columns == order && samples.innerExtent == order, "one column for each column")
  unsafe sum.storage.withUnsafeMutableBufferPointer { buffer in
    guard let start = buffer.baseAddress else { return }
    // SAFETY: the sum has as many rows and columns as a sample has numbers.
    unsafe addSymmetric(samples.transposed, scale: 1, to: start, order: order)
  }
}

/// Adds `scale · rows rowsᵀ` to the lower triangle of a part of a sum of order `order`.
@unsafe
private func addSymmetric<Scalar: BLASScalar>(
  _ rows: MatrixView<Scalar>,
  scale: Scalar,
  to start: UnsafeMutablePointer<Scalar>,
  order: Int
) {
  guard rows.outerExtent > 0, rows.innerExtent > 0 else { return }
  unsafe rows.elements.withUnsafeBufferPointer { buffer in
    // SAFETY: as above; the view has checked its own extent.
    unsafe Scalar.kernels.rankUpdate(
      CblasRowMajor,
      CblasLower,
      rows.isTransposed ? CblasTrans : CblasNoTrans,
      Int32(rows.outerExtent),
      Int32(rows.innerExtent),
      scale,
      buffer.baseAddress,
      Int32(max(1, rows.stride)),
      1,
      start,
      Int32(order)
    )
  }
}

/// Gives `body` the starts of all matrices in a form that threads can share.
@unsafe
private func withTargets(
  _ matrices: inout [Matrix<Float>],
  _ body: ([SharedTarget<Float>]) -> Void
) {
  unsafe matrices.withUnsafeMutableBufferPointer { buffer in
    unsafe lend(buffer, [], body)
  }
}

/// Lends the matrix that comes after those already lent, then the rest.
@unsafe
private func lend(
  _ matrices: UnsafeMutableBufferPointer<Matrix<Float>>,
  _ lent: [SharedTarget<Float>],
  _ body: ([SharedTarget<Float>]) -> Void
) {
  guard unsafe lent.count < matrices.count else { return unsafe body(lent) }
  unsafe matrices[lent.count].storage.withUnsafeMutableBufferPointer { entries in
    guard let start = entries.baseAddress else { return }
    // SAFETY: each matrix is lent once.
    unsafe lend(matrices, lent + [SharedTarget(start: start)], body)
  }
}
