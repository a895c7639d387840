package import LinearAlgebra

/// How two small factors change a pruned matrix (Zimmer and others, PERP, 2023; Lu and others, SPP,
/// 2024).
///
/// `W` is the pruned matrix `[outputs, inputs]`, `M` its mask, `B` of shape `[outputs, rank]` and `A`
/// of shape `[rank, inputs]` what is trained, `s` the scale.
package enum AdapterKind: String, CaseIterable, Equatable, Sendable {
  /// `W + s B A`; for matrices without zeros alone.
  case lora
  /// `W + s B A` in training, `W + s M ∘ (B A)` when merged: the function changes then.
  case loraPrune = "lora-prune"
  /// `W ∘ (B A)`; starts with `B A ≡ 1`.
  case scaleLoRA = "scale-lora"
  /// `W + s M ∘ (B A)`.
  case maskLoRA = "mask-lora"
  /// `W + s W ∘ (B A)`.
  case spp

  /// Whether the merged matrix is the one in training.
  package var mergesExactly: Bool { self != .loraPrune }

  /// Whether `B A` is multiplied by `W`, entry by entry.
  package var isRelative: Bool { self == .scaleLoRA || self == .spp }
}

/// The shape of the factors and how strongly they act.
package struct AdapterShape: Equatable, Sendable {
  /// The inner extent of `B A`, at least 1.
  package let rank: Int
  /// `α`; the scale is `s = α / rank`.
  package let alpha: Double

  /// Factors of a rank.
  ///
  /// - Throws: ``TrainingError/badSetting(name:found:expected:)``.
  package init(rank: Int, alpha: Double) throws(TrainingError) {
    guard 1...4096 ~= rank else {
      throw .badSetting(name: "rank", found: "\(rank)", expected: "1 to 4096")
    }
    guard alpha > 0, alpha.isFinite else {
      throw .badSetting(name: "alpha", found: "\(alpha)", expected: "above 0")
    }
    self.rank = rank
    self.alpha = alpha
  }
}

/// One matrix's adapter without its factors' values.
package struct Adapter: Equatable, Sendable {
  /// What the factors do.
  package let kind: AdapterKind
  /// The matrix, for messages and for its random start.
  package let name: String
  /// The rows of the matrix.
  package let outputs: Int
  /// The columns of the matrix.
  package let inputs: Int
  /// The rank and the strength.
  package let shape: AdapterShape
  /// Which entries of the matrix are kept.
  package let mask: WeightMask

  /// An adapter of a matrix.
  ///
  /// - Parameters:
  ///   - kind: What the factors do.
  ///   - name: The matrix.
  ///   - weight: The matrix as it is, shape `[outputs, inputs]`.
  ///   - shape: The rank and the strength.
  ///   - isPrunable: Whether zeros of the matrix mean something; not in an output head.
  /// - Throws: ``TrainingError/fillsZeros(matrix:zeros:)`` for plain LoRA on a matrix with zeros.
  package init(
    _ kind: AdapterKind,
    _ name: String,
    of weight: Matrix<Float>,
    _ shape: AdapterShape,
    isPrunable: Bool = true
  ) throws(TrainingError) {
    let mask =
      isPrunable
      ? WeightMask(of: weight.storage) : WeightMask(keepingAll: weight.storage.count)
    guard kind != .lora || mask.zeros == 0 else {
      throw .fillsZeros(matrix: name, zeros: mask.zeros)
    }
    self.kind = kind
    self.name = name
    outputs = weight.rows
    inputs = weight.columns
    self.shape = shape
    self.mask = mask
  }

  /// `s`, the factor of `B A`.
  var scale: Float { kind == .scaleLoRA ? 1 : Float(shape.alpha / Double(shape.rank)) }

  /// The factors where training starts.
  ///
  /// `A` is uniform within `±1/√inputs` and `B` zero, so that nothing changes yet; ScaleLoRA has
  /// `1/√rank` everywhere.
  ///
  /// - Parameter seed: Decides `A`, together with the name of the matrix.
  /// - Returns: The entries of `A` and `B`, row by row.
  package func start(seed: UInt64) -> (a: [Float], b: [Float]) {
    guard kind != .scaleLoRA else {
      let entry = 1 / Float(shape.rank).squareRoot()
      return (
        [Float](repeating: entry, count: shape.rank * inputs),
        [Float](repeating: entry, count: outputs * shape.rank)
      )
    }
    let numbers = SeededNumbers(seed: seed, name: name)
    let bound = 1 / Float(inputs).squareRoot()
    return (
      (0..<shape.rank * inputs).map { bound * numbers.uniform($0) },
      [Float](repeating: 0, count: outputs * shape.rank)
    )
  }

  /// The matrix that the model computes with in training.
  ///
  /// - Parameters:
  ///   - weight: `W`, the matrix as it came.
  ///   - a: The entries of `A`.
  ///   - b: The entries of `B`.
  /// - Returns: Shape `[outputs, inputs]`.
  package func effective(_ weight: Matrix<Float>, a: [Float], b: [Float]) -> Matrix<Float> {
    combined(weight, a: a, b: b, isMasked: kind == .maskLoRA)
  }

  /// The matrix that is written.
  ///
  /// - Parameters:
  ///   - weight: `W`, the matrix as it came.
  ///   - a: The entries of `A`.
  ///   - b: The entries of `B`.
  /// - Returns: Shape `[outputs, inputs]`, with every zero that the matrix had.
  /// - Throws: ``TrainingError`` if a zero would be lost.
  package func merged(
    _ weight: Matrix<Float>,
    a: [Float],
    b: [Float]
  ) throws(TrainingError) -> Matrix<Float> {
    let result = combined(weight, a: a, b: b, isMasked: kind == .maskLoRA || kind == .loraPrune)
    try mask.check(result.storage, name: name)
    return result
  }

  private func combined(
    _ weight: Matrix<Float>,
    a: [Float],
    b: [Float],
    isMasked: Bool
  ) -> Matrix<Float> {
    var change = product(a: a, b: b)
    if isMasked { mask.apply(to: &change.storage) }
    let isRelative = kind.isRelative
    let addsWeight = kind != .scaleLoRA
    forEachPiece(of: &change) { start, entries in
      let weights = weight.elements
      for index in entries.indices {
        let old = weights[start + index]
        let new = isRelative ? old * entries[index] : entries[index]
        entries[index] = addsWeight ? old + new : new
      }
    }
    return change
  }

  /// `s B A`.
  private func product(a: [Float], b: [Float]) -> Matrix<Float> {
    let left = Matrix<Float>(rows: outputs, columns: shape.rank, storage: b)
    let right = Matrix<Float>(rows: shape.rank, columns: inputs, storage: a)
    var result = Matrix<Float>(rows: outputs, columns: inputs)
    multiplyTiled(left.view, right.view, scale: scale, into: &result)
    return result
  }
}

/// Hands out pieces of a matrix, each with the index of its first entry, in parallel.
func forEachPiece(
  of matrix: inout Matrix<Float>,
  _ body: @Sendable (Int, inout MutableSpan<Float>) -> Void
) {
  let size = 1 << 14
  concurrentChunks(of: &matrix.storage, size: size) { piece, entries in
    body(piece * size, &entries)
  }
}
