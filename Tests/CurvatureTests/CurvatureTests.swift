import Curvature
import LinearAlgebra
import Testing

/// Whole numbers from −4 to 4, always the same.
private func samples(_ rows: Int, _ columns: Int) -> Matrix<Float> {
  let entries = (0..<rows * columns).map { (index: Int) -> Float in
    let mixed = index * 37 + index * index % 11
    return Float(mixed % 9 - 4)
  }
  return Matrix(rows: rows, columns: columns, storage: entries)
}

extension SecondMoment {
  /// Adds one batch on its own.
  fileprivate mutating func add(_ batch: Matrix<Float>) {
    var moments = [self]
    SecondMoment.add([[batch]], to: &moments)
    self = moments[0]
  }
}

@Suite("Second moments")
struct SecondMomentTests {
  @Test("are the mean of x xᵀ, whatever the batches", arguments: [false, true], [1, 3, 70])
  func mean(appendsOne: Bool, width: Int) throws {
    let count = 12
    let all = samples(count, width)
    var moment = SecondMoment(width: width, appendsOne: appendsOne)
    for range in [0..<5, 5..<6, 6..<12] {
      let batch = all.selecting(rows: Array(range), columns: Array(0..<width))
      moment.add(batch)
    }
    let mean = try moment.mean()
    let order = width + (appendsOne ? 1 : 0)
    #expect(mean.rows == order && mean.columns == order && moment.tokens == count)
    func entry(_ row: Int, _ column: Int) -> Double {
      column == width ? 1 : Double(all[row, column])
    }
    for i in 0..<order {
      for j in 0..<order {
        let exact = (0..<count).reduce(0) { $0 + entry($1, i) * entry($1, j) } / Double(count)
        // Sums of whole numbers are exact; the quotient is rounded twice.
        #expect(abs(Double(mean[i, j]) - exact) <= Double(Float.ulpOfOne) * abs(exact))
      }
    }
    if appendsOne { #expect(mean[width, width] == 1) }
  }

  @Test("are the same gathered together or one by one, in pieces or whole")
  func together() throws {
    let widths = [(3, true), (600, false), (5, false)]
    let batches = widths.map { width, _ in samples(11, width) }
    var together = widths.map { SecondMoment(width: $0.0, appendsOne: $0.1) }
    let pieces = batches.map { batch in
      [0..<4, 4..<11].map { batch.selecting(rows: Array($0), columns: Array(0..<batch.columns)) }
    }
    SecondMoment.add(pieces, to: &together)
    for (index, (width, appendsOne)) in widths.enumerated() {
      var alone = SecondMoment(width: width, appendsOne: appendsOne)
      alone.add(batches[index])
      // Sums of whole numbers are exact in any order.
      #expect(try together[index].mean() == alone.mean())
      #expect(together[index].tokens == 11)
    }
  }

  @Test("of nothing do not exist")
  func nothing() {
    #expect(throws: CurvatureError.noTokens) {
      try SecondMoment(width: 2, appendsOne: true).mean()
    }
  }
}

@Suite("Drift moments")
struct DriftMomentTests {
  @Test("are the mean of (x − x′) x′ᵀ, whatever the pieces", arguments: [false, true])
  func mean(appendsOne: Bool) throws {
    let (old, new) = (
      samples(12, 5), samples(24, 5).selecting(rows: Array(12..<24), columns: Array(0..<5))
    )
    var moment = DriftMoment(width: 5, appendsOne: appendsOne)
    for range in [0..<5, 5..<12] {
      moment.add(
        original: old.selecting(rows: Array(range), columns: Array(0..<5)),
        current: new.selecting(rows: Array(range), columns: Array(0..<5))
      )
    }
    let mean = try moment.mean()
    #expect(mean.rows == 5 && mean.columns == (appendsOne ? 6 : 5))
    for i in 0..<5 {
      for j in 0..<mean.columns {
        let exact =
          (0..<12).reduce(0.0) { sum, token in
            let now = j == 5 ? 1 : Double(new[token, j])
            return sum + (Double(old[token, i]) - Double(new[token, i])) * now
          } / 12
        // Sums of whole numbers are exact; the quotient is rounded twice.
        #expect(abs(Double(mean[i, j]) - exact) <= Double(Float.ulpOfOne) * abs(exact))
      }
    }
  }

  @Test("vanish where nothing drifts, and of nothing do not exist")
  func nothing() throws {
    var moment = DriftMoment(width: 3, appendsOne: true)
    #expect(throws: CurvatureError.noTokens) { try moment.mean() }
    moment.add(original: samples(7, 3), current: samples(7, 3))
    #expect(try moment.mean().storage.allSatisfy { $0 == 0 })
  }
}

@Suite("Kronecker factors")
struct FactorTests {
  @Test("predict the loss of the dense matrix G ⊗ A")
  func loss() throws {
    var a = SecondMoment(width: 4, appendsOne: false)
    a.add(samples(9, 4))
    var g = SecondMoment(width: 3, appendsOne: false)
    g.add(samples(7, 3))
    let factors = try KroneckerFactors(activations: a.mean(), gradients: g.mean())
    let change = samples(3, 4)
    var exact = 0.0
    for i in 0..<12 {
      for j in 0..<12 {
        let entry =
          Double(factors.gradients[i / 4, j / 4]) * Double(factors.activations[i % 4, j % 4])
        exact += Double(change.storage[i]) * entry * Double(change.storage[j]) / 2
      }
    }
    #expect(abs(factors.loss(of: change) - exact) <= 1e-5 * exact)
  }

  @Test("that cannot be are refused")
  func refused() {
    let good = Matrix<Float>(rows: 2, columns: 2, storage: [1, 0, 0, 1])
    var negative = good
    negative[1, 1] = -1
    #expect(throws: CurvatureError.negativeDiagonal(.activations, index: 1)) {
      try KroneckerFactors(activations: negative, gradients: good)
    }
    #expect(throws: CurvatureError.notSquare(.gradients, rows: 1, columns: 2)) {
      try KroneckerFactors(activations: good, gradients: Matrix(rows: 1, columns: 2))
    }
    var infinite = good
    infinite[0, 1] = .nan
    #expect(throws: CurvatureError.notFinite(.activations)) {
      try KroneckerFactors(activations: infinite, gradients: good)
    }
  }
}

@Suite("Damping")
struct DampingTests {
  static let matrix = Matrix<Float>(rows: 3, columns: 3, storage: [2, 1, 0, 1, 4, 0, 0, 0, 0])

  @Test("adds a share of the mean diagonal over what is alive")
  func mean() {
    let factor = DampedFactor(Self.matrix, alive: [0, 1], share: 0.5, scale: .mean)
    #expect(factor.added == [1.5, 1.5, 0])
    #expect(factor.diagonal(1) == 5.5)
  }

  @Test("or a share of each entry, and a little of their mean")
  func entry() {
    let factor = DampedFactor(Self.matrix, alive: [0, 1], share: 0.5, scale: .entry)
    #expect(factor.added == [1 + 3e-4, 2 + 3e-4, 0])
  }

  @Test("is raised tenfold until the kept part has a factor, and counted")
  func raised() throws {
    // Eigenvalues 1 + λ and −1 + λ: λ has to pass 1.
    let indefinite = Matrix<Float>(rows: 2, columns: 2, storage: [0.5, 1, 1, 0.5])
    let factor = DampedFactor(indefinite, alive: [0, 1], share: 0.02, scale: .mean)
    let conditioned = try ConditionedFactor(factor, keeping: [0, 1], side: .gradients)
    #expect(conditioned.timesRaised == 2)
    let l = conditioned.cholesky.factor
    #expect(abs(l[0, 0] * l[0, 0] - 1.5) <= 1e-15)
    let hopeless = DampedFactor(indefinite, alive: [0, 1], share: 1e-6, scale: .mean)
    #expect(throws: CurvatureError.notPositiveDefinite(order: 2, damping: 0.005)) {
      try ConditionedFactor(hopeless, keeping: [0, 1], side: .gradients)
    }
  }

  @Test("keeps nothing of nothing")
  func empty() throws {
    let factor = DampedFactor(Self.matrix, alive: [0, 1], share: 0.5, scale: .mean)
    let conditioned = try ConditionedFactor(factor, keeping: [], side: .activations)
    #expect(conditioned.cholesky.order == 0 && conditioned.timesRaised == 0)
    #expect(conditioned.cholesky.inverseDiagonal().isEmpty)
  }
}
