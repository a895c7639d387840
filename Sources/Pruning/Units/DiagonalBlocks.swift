import LinearAlgebra

/// The diagonal blocks of `V = A⁻¹` and `M = Wᵀ G W` of an elimination, one of each for every unit.
struct DiagonalBlocks {
  private let places: [Range<Int>]
  /// Where each unit's blocks begin.
  private let offsets: [Int]
  /// Block after block, each row by row.
  private var inverse: [Double]
  private var moment: [Double]
  private var isLeft: [Bool]

  init(inverse: Matrix<Double>, moment: Matrix<Double>, places: [Range<Int>]) {
    self.places = places
    var offsets: [Int] = []
    var end = 0
    for range in places {
      offsets.append(end)
      end += range.count * range.count
    }
    self.offsets = offsets
    (self.inverse, self.moment) = ([], [])
    self.inverse.reserveCapacity(end)
    self.moment.reserveCapacity(end)
    for range in places {
      for row in range {
        let start = row * inverse.columns
        let entries = start + range.lowerBound..<start + range.upperBound
        self.inverse += inverse.storage[entries]
        self.moment += moment.storage[entries]
      }
    }
    isLeft = places.map { !$0.isEmpty }
  }

  /// `½ tr(M_SS V_SS⁻¹)`.
  ///
  /// - Throws: ``FactorizationError`` if the block of `V` is not positive definite.
  func cost(_ unit: Int) throws(FactorizationError) -> Double {
    let size = places[unit].count
    let start = offsets[unit]
    if size == 0 { return 0 }
    if size == 1 {
      guard inverse[start] > 0 else { throw .notPositiveDefinite(order: 1) }
      return max(0, moment[start] / inverse[start] / 2)
    }
    let range = start..<start + size * size
    var quotient = Matrix(rows: size, columns: size, storage: Array(moment[range]))
    let block = Matrix(rows: size, columns: size, storage: Array(inverse[range]))
    try Cholesky(block).solve(&quotient)
    return max(0, quotient.diagonal.reduce(0, +) / 2)
  }

  /// Brings the blocks of the units that are left up to date: `V' = V − Tᵀ V_S`,
  /// `M' = M − Tᵀ B − Bᵀ T`.
  mutating func remove(_ unit: Int, _ step: EliminationStep) {
    isLeft[unit] = false
    let width = step.gain.columns
    let (gain, rows, bend) = (step.gain.elements, step.rows.elements, step.bend.elements)
    for line in 0..<step.gain.rows {
      let start = line * width
      for other in places.indices where isLeft[other] {
        var entry = offsets[other]
        for first in places[other] {
          let (gainEntry, bendEntry) = (gain[start + first], bend[start + first])
          for second in places[other] {
            inverse[entry] -= gainEntry * rows[start + second]
            moment[entry] -= gainEntry * bend[start + second] + bendEntry * gain[start + second]
            entry += 1
          }
        }
      }
    }
  }
}
