import LinearAlgebra
import Testing

@Suite("Matrix products", .serialized)
struct ProductTests {
  static let shapes = [
    (0, 3, 2), (3, 0, 2), (2, 3, 0), (1, 1, 1), (1, 7, 1), (5, 3, 4), (64, 65, 63),
    (130, 70, 200), (257, 129, 300),
  ]

  @Test("equal three loops for every transposition", arguments: shapes)
  func tiled(m: Int, k: Int, n: Int) {
    check(m, k, n, of: Float.self)
    check(m, k, n, of: Double.self)
  }

  private func check<Scalar: BLASScalar>(_ m: Int, _ k: Int, _ n: Int, of: Scalar.Type) {
    let left: Matrix<Scalar> = wholeNumbers(m, k, seed: 1)
    let right: Matrix<Scalar> = wholeNumbers(k, n, seed: 2)
    let old: Matrix<Scalar> = wholeNumbers(m, n, seed: 3)
    let (leftTurned, rightTurned) = (left.transposed(), right.transposed())
    let exact = naiveProduct(left, right, scale: 2, keeping: -1, old)
    for (turnsLeft, turnsRight) in [(false, false), (true, false), (false, true), (true, true)] {
      var tiled = old
      multiplyTiled(
        turnsLeft ? leftTurned.transposedView : left.view,
        turnsRight ? rightTurned.transposedView : right.view,
        scale: 2,
        keeping: -1,
        into: &tiled
      )
      #expect(tiled == exact)
      var plain = old
      var target = plain.mutableElements
      multiply(
        turnsLeft ? leftTurned.transposedView : left.view,
        turnsRight ? rightTurned.transposedView : right.view,
        scale: 2,
        keeping: -1,
        into: &target
      )
      #expect(plain == exact)
    }
  }

  @Test("read and write rectangles inside larger arrays", arguments: [1, 3, 90])
  func strided(extent: Int) {
    let (outer, inner) = (extent + 2, extent)
    let large: Matrix<Double> = wholeNumbers(outer, outer, seed: 4)
    let all = Array(0..<inner)
    let part = large.selecting(rows: all, columns: all)
    let view = MatrixView(large.elements, rows: inner, columns: inner, stride: outer)
    var product = Matrix<Double>(rows: inner, columns: inner)
    multiplyTiled(view, view.transposed, into: &product)
    #expect(product == naiveProduct(part, part.transposed(), product))
    var frame = Matrix<Double>(rows: inner, columns: outer, repeating: 7)
    var target = frame.mutableElements
    multiply(view, view, into: &target, stride: outer)
    #expect(frame.selecting(rows: all, columns: all) == naiveProduct(part, part, part))
    #expect(all.allSatisfy { frame[$0, inner] == 7 && frame[$0, inner + 1] == 7 })
  }

  @Test(
    "of shapes that are cut in many ways equal three loops",
    arguments: [(1, 900, 1200), (3000, 7, 50), (40, 60, 3000), (1100, 20, 1100), (17, 4000, 33)]
  )
  func cuts(m: Int, k: Int, n: Int) {
    let left: Matrix<Float> = wholeNumbers(m, k, seed: 11)
    let right: Matrix<Float> = wholeNumbers(k, n, seed: 12)
    let old: Matrix<Float> = wholeNumbers(m, n, seed: 13)
    let offset: Matrix<Float> = wholeNumbers(1, n, seed: 14)
    var product = old
    multiplyTiled(left.view, right.view, keeping: 1, adding: offset.storage, into: &product)
    var exact = naiveProduct(left, right, keeping: 1, old)
    for index in exact.storage.indices { exact.storage[index] += offset.storage[index % n] }
    #expect(product == exact)
  }

  @Test(
    "by parts of the inner extent equal three loops, on any number of threads",
    arguments: [
      (1, 1, 1), (0, 40, 3), (3, 40, 0), (3, 0, 2), (5, 100, 7), (3, 1000, 2), (9, 161, 10),
    ]
  )
  func split(m: Int, k: Int, n: Int) {
    let left: Matrix<Float> = wholeNumbers(m, k, seed: 15)
    let right: Matrix<Float> = wholeNumbers(k, n, seed: 16)
    func product(_ left: Matrix<Float>, _ right: Matrix<Float>) -> Matrix<Float> {
      var result = Matrix<Float>(rows: m, columns: n, repeating: .nan)
      multiplySplit(left, right, into: &result)
      return result
    }
    #expect(product(left, right) == naiveProduct(left, right, Matrix(rows: m, columns: n)))
    let (rough, other) = (
      fractions(m, k, seed: 17) as Matrix<Float>, fractions(k, n, seed: 18) as Matrix<Float>
    )
    #expect(onThreads(1) { product(rough, other) } == onThreads(4) { product(rough, other) })
  }

  @Test("Gram sums of several matrices equal those of each alone", arguments: [1, 200, 900])
  func severalGrams(order: Int) {
    let values: Matrix<Float> = wholeNumbers(30, order, seed: 19)
    let other: Matrix<Float> = wholeNumbers(30, 70, seed: 20)
    var sums = [Matrix<Float>(rows: order, columns: order), Matrix<Float>(rows: 70, columns: 70)]
    addGrams(of: [[values], [other, other]], to: &sums)
    var (undivided, twice) = (
      Matrix<Float>(rows: order, columns: order), Matrix<Float>(rows: 70, columns: 70)
    )
    addGramUndivided(of: values.view, to: &undivided)
    addGram(of: other.view, scale: 2, to: &twice)
    for (sum, expected) in zip(sums, [undivided, twice]) {
      var (sum, expected) = (sum, expected)
      mirrorLowerTriangle(of: &sum)
      mirrorLowerTriangle(of: &expected)
      #expect(sum == expected)
    }
  }

  @Test("overwrite NaN where nothing is kept")
  func overwrites() {
    let one = Matrix<Float>(rows: 2, columns: 2, repeating: 1)
    var result = Matrix<Float>(rows: 2, columns: 2, repeating: .nan)
    multiplyTiled(one.view, one.view, into: &result)
    #expect(result.storage == [2, 2, 2, 2])
    // With nothing to add up, the product is zero.
    var empty = Matrix<Float>(rows: 2, columns: 2, repeating: .nan)
    let (tall, wide) = (Matrix<Float>(rows: 2, columns: 0), Matrix<Float>(rows: 0, columns: 2))
    multiplyTiled(tall.view, wide.view, into: &empty)
    #expect(empty.storage == [0, 0, 0, 0])
  }

  @Test("Gram sums equal three loops", arguments: [(0, 3), (1, 1), (5, 3), (70, 65), (33, 300)])
  func gram(samples: Int, order: Int) {
    let values: Matrix<Float> = wholeNumbers(samples, order, seed: 5)
    var sum = Matrix<Float>(rows: order, columns: order)
    addGram(of: values.view, scale: 0.5, to: &sum)
    addGram(of: values.view, scale: 0.5, to: &sum)
    mirrorLowerTriangle(of: &sum)
    #expect(sum == naiveProduct(values.transposed(), values, sum))
    let turned = values.transposed()
    var same = Matrix<Float>(rows: order, columns: order)
    addGram(of: turned.transposedView, to: &same)
    mirrorLowerTriangle(of: &same)
    #expect(same == sum)
  }

  @Test("have the same bits on one thread and on four", arguments: [(65, 300), (257, 129)])
  func threads(rows: Int, columns: Int) {
    let left: Matrix<Float> = fractions(rows, columns, seed: 6)
    let right: Matrix<Float> = fractions(columns, rows, seed: 7)
    func results() -> (Matrix<Float>, Matrix<Float>, Double) {
      var product = Matrix<Float>(rows: rows, columns: rows)
      multiplyTiled(left.view, right.view, into: &product)
      var gram = Matrix<Float>(rows: columns, columns: columns)
      addGram(of: left.view, to: &gram)
      mirrorLowerTriangle(of: &gram)
      return (product, gram, left.inner(left))
    }
    let single = onThreads(1, results)
    let several = onThreads(4, results)
    #expect(single == several)
  }
}

@Suite("Norms, selection, regions", .serialized)
struct MatrixTests {
  @Test("the inner product is the sum of products", arguments: [0, 1, 7, 8, 9, 400])
  func inner(order: Int) {
    let left: Matrix<Float> = wholeNumbers(order, order, seed: 8)
    let right: Matrix<Float> = wholeNumbers(order, order, seed: 9)
    let exact = zip(left.storage, right.storage).reduce(0.0) { $0 + Double($1.0 * $1.1) }
    #expect(left.inner(right) == exact)
    #expect(left.widened().inner(right.widened()) == exact)
  }

  @Test("what is selected and written back is what it was")
  func selection() {
    let matrix: Matrix<Double> = wholeNumbers(5, 7, seed: 10)
    let (rows, columns) = ([4, 0, 2], [1, 6])
    let part = matrix.selecting(rows: rows, columns: columns)
    for (i, row) in rows.enumerated() {
      for (j, column) in columns.enumerated() { #expect(part[i, j] == matrix[row, column]) }
    }
    var copy = matrix
    copy.scatter(part, rows: rows, columns: columns)
    #expect(copy == matrix)
    #expect(matrix.selecting(rows: Array(0..<5), columns: Array(0..<7)) == matrix)
    #expect(matrix.selecting(rows: [], columns: [1]).storage.isEmpty)
    #expect(matrix.selecting(rows: [1], columns: []).rows == 1)
  }

  @Test("a region inside a region computes the same")
  func nested() {
    let sums = onThreads(4) {
      concurrentMap(count: 8) { outer in
        concurrentMap(count: 50) { outer * 50 + $0 }.reduce(0, +)
      }
    }
    #expect(sums == (0..<8).map { $0 * 2500 + 1225 })
  }

  @Test("a Cholesky factor solves from both sides", arguments: [(1, 1), (7, 3), (129, 70)])
  func solve(order: Int, count: Int) throws {
    let matrix = CholeskyTests.sample(order: order)
    let cholesky = try Cholesky(matrix)
    let exact: Matrix<Double> = wholeNumbers(order, count, seed: 11)
    var right = naiveProduct(matrix, exact, exact)
    cholesky.solve(&right)
    // The condition number is below 10; entries are below 8 and columns have `order` of them.
    let tolerance = 100 * Double(order * 8) * Double.ulpOfOne
    #expect(zip(right.storage, exact.storage).allSatisfy { abs($0 - $1) <= tolerance })
    let turned = exact.transposed()
    var left = naiveProduct(turned, matrix, turned)
    cholesky.solveFromRight(&left)
    #expect(zip(left.storage, turned.storage).allSatisfy { abs($0 - $1) <= tolerance })
  }

  @Test("blocks of the inverse are those of the whole inverse")
  func inverseBlocks() throws {
    let cholesky = try Cholesky(CholeskyTests.sample(order: 130))
    let inverse = cholesky.inverse()
    let ranges = [0..<0, 0..<4, 4..<5, 60..<70, 126..<130]
    for (range, block) in zip(ranges, cholesky.inverseBlocks(ranges)) {
      let exact = inverse.selecting(rows: Array(range), columns: Array(range))
      #expect(zip(block.storage, exact.storage).allSatisfy { abs($0 - $1) <= 1e-15 })
    }
  }

  @Test("a factorisation has the same bits on one thread and on four")
  func factorThreads() throws {
    let matrix = CholeskyTests.sample(order: 600)
    let single = try onThreads(1) { try Cholesky(matrix) }
    let several = try onThreads(4) { try Cholesky(matrix) }
    #expect(single.factor == several.factor)
    #expect(onThreads(1) { single.inverse() } == onThreads(4) { several.inverse() })
    #expect(onThreads(1) { single.inverseDiagonal() } == onThreads(4) { several.inverseDiagonal() })
  }
}
