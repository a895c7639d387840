package import LinearAlgebra

/// The running mean of `x xᵀ` over the tokens seen so far.
///
/// Sums are single precision, one product per batch: the error is that of a blocked sum.
package struct SecondMoment: Sendable {
  /// The number of entries of a sample, without the appended 1.
  package let width: Int
  /// Whether a 1 is appended to each sample, for a layer with a bias.
  package let appendsOne: Bool
  /// The number of samples seen.
  package private(set) var tokens = 0

  /// How many samples one thread adds up at a time.
  private static let rowsAtOnce = 256

  private var sum: Matrix<Float>
  private var total: [Double]

  /// An empty sum.
  ///
  /// - Parameters:
  ///   - width: The number of entries of a sample.
  ///   - appendsOne: Whether a 1 is appended to each sample, for a layer with a bias.
  package init(width: Int, appendsOne: Bool) {
    self.width = width
    self.appendsOne = appendsOne
    sum = Matrix(rows: width, columns: width)
    total = [Double](repeating: 0, count: appendsOne ? width : 0)
  }

  /// Adds one batch.
  ///
  /// - Parameter pieces: The samples in pieces, one sample a row; shape `[tokens, width]` each.
  package mutating func add(_ pieces: [Matrix<Float>]) {
    var moments = [self]
    // Two owners would make the addition copy.
    sum = Matrix(rows: 0, columns: 0)
    Self.add([pieces], to: &moments)
    self = moments[0]
  }

  /// Adds one batch to each of several sums, in one parallel region for all of them.
  ///
  /// - Parameters:
  ///   - batch: For each sum the samples in pieces, one sample a row; shape `[tokens, width]` each.
  ///   - moments: The sums.
  package static func add(_ batch: [[Matrix<Float>]], to moments: inout [SecondMoment]) {
    precondition(batch.count == moments.count, "samples for each sum")
    var sums: [Matrix<Float>] = []
    for index in moments.indices {
      sums.append(moments[index].sum)
      // Two owners would make the addition copy.
      moments[index].sum = Matrix(rows: 0, columns: 0)
    }
    addGrams(of: batch, to: &sums)
    for (index, sum) in sums.enumerated() {
      moments[index].sum = sum
      moments[index].tokens += batch[index].reduce(0) { $0 + $1.rows }
      if moments[index].appendsOne { moments[index].addRows(of: batch[index]) }
    }
  }

  /// Adds the samples themselves, which a trailing 1 is multiplied with.
  private mutating func addRows(of pieces: [Matrix<Float>]) {
    let width = width
    let parts = pieces.indices.flatMap { piece in
      stride(from: 0, to: pieces[piece].rows, by: Self.rowsAtOnce).map { (piece: piece, row: $0) }
    }
    let sums = concurrentMap(count: parts.count) { index in
      let (samples, first) = (pieces[parts[index].piece], parts[index].row)
      var sum = [Float](repeating: 0, count: width)
      for row in first..<min(samples.rows, first + Self.rowsAtOnce) {
        addRow(row, of: samples, to: &sum)
      }
      return sum
    }
    for sum in sums {
      for column in 0..<width { total[column] += Double(sum[column]) }
    }
  }

  /// The rows and columns of the mean.
  package var order: Int { width + (appendsOne ? 1 : 0) }

  /// The lower triangle of ``mean()``, row by row, without a square copy.
  ///
  /// - Throws: ``CurvatureError/noTokens`` before the first sample.
  package func meanTriangle() throws(CurvatureError) -> [Float] {
    guard tokens > 0 else { throw .noTokens }
    let scale = 1 / Double(tokens)
    var entries: [Float] = []
    entries.reserveCapacity(order * (order + 1) / 2)
    for row in 0..<width {
      for entry in sum.storage[row * width...row * width + row] {
        entries.append(Float(Double(entry) * scale))
      }
    }
    guard appendsOne else { return entries }
    for entry in total { entries.append(Float(entry * scale)) }
    entries.append(1)
    return entries
  }

  /// The mean of `x xᵀ`, exactly symmetric; shape `[width (+1), width (+1)]`.
  ///
  /// - Throws: ``CurvatureError/noTokens`` before the first sample.
  package func mean() throws(CurvatureError) -> Matrix<Float> {
    guard tokens > 0 else { throw .noTokens }
    var result = Matrix<Float>(rows: order, columns: order)
    let scale = 1 / Double(tokens)
    for row in 0..<width {
      for column in 0...row {
        result.storage[row * order + column] =
          Float(Double(sum.storage[row * width + column]) * scale)
      }
    }
    if appendsOne {
      for column in 0..<width { result[width, column] = Float(total[column] * scale) }
      result[width, width] = 1
    }
    mirrorLowerTriangle(of: &result)
    return result
  }
}

/// Adds one row of a matrix to a vector of its width.
private func addRow(_ row: Int, of matrix: Matrix<Float>, to sum: inout [Float]) {
  let start = row * matrix.columns
  precondition(
    sum.count == matrix.columns && start + sum.count <= matrix.storage.count,
    "one width"
  )
  let entries = matrix.storage.span
  var sum = sum.mutableSpan
  // SAFETY: the precondition covers every index.
  for column in 0..<sum.count {
    unsafe sum[unchecked: column] += entries[unchecked: start + column]
  }
}
