import LinearAlgebra

/// Small whole numbers: products and sums of them are exact, so laws hold to the last bit.
func wholeNumbers<Scalar: BLASScalar>(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix<Scalar> {
  var state = seed
  let entries = (0..<rows * columns).map { _ -> Scalar in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Scalar(Int(state >> 60) - 8)
  }
  return Matrix(rows: rows, columns: columns, storage: entries)
}

/// Fractions whose sums round: what is added in another order has other bits.
func fractions<Scalar: BLASScalar>(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix<Scalar> {
  var result: Matrix<Scalar> = wholeNumbers(rows, columns, seed: seed)
  for index in result.storage.indices {
    result.storage[index] = (result.storage[index] + Scalar(index % 11)) / 7
  }
  return result
}

/// `scale · left · right + keeping · old` by three loops.
func naiveProduct<Scalar: BLASScalar>(
  _ left: Matrix<Scalar>,
  _ right: Matrix<Scalar>,
  scale: Scalar = 1,
  keeping: Scalar = 0,
  _ old: Matrix<Scalar>
) -> Matrix<Scalar> {
  var result = old
  for row in 0..<left.rows {
    for column in 0..<right.columns {
      var sum: Scalar = 0
      for k in 0..<left.columns { sum += left[row, k] * right[k, column] }
      result[row, column] = scale * sum + (keeping == 0 ? 0 : keeping * old[row, column])
    }
  }
  return result
}

/// Runs `body` with the given number of threads.
func onThreads<Value>(_ count: Int, _ body: () throws -> Value) rethrows -> Value {
  let before = Parallelism.threads
  Parallelism.threads = count
  defer { Parallelism.threads = before }
  return try body()
}
