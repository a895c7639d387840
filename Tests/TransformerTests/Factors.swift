import LinearAlgebra

@testable import Transformer

/// Sums of `x xᵀ` (with a trailing 1 where there is a bias) and `g gᵀ`, in double precision.
struct FactorObserver: LinearObserver {
  var activations: [String: Matrix<Double>] = [:]
  var gradients: [Int: Matrix<Double>] = [:]
  var tokens: [String: Int] = [:]

  mutating func observe(_ traffic: [LinearTraffic]) {
    for shown in traffic {
      for inputs in shown.inputs {
        add(inputs, trailing: shown.group.hasBias, to: &activations[shown.group.name])
        tokens[shown.group.name, default: 0] += inputs.rows
      }
      for (linear, pieces) in zip(shown.group.linears, shown.gradients) {
        for matrix in pieces { add(matrix, trailing: false, to: &gradients[linear]) }
      }
    }
  }

  private func add(_ samples: Matrix<Float>, trailing: Bool, to sum: inout Matrix<Double>?) {
    let order = samples.columns + (trailing ? 1 : 0)
    var total = sum ?? Matrix(rows: order, columns: order)
    for row in 0..<samples.rows {
      var x = (0..<samples.columns).map { Double(samples[row, $0]) }
      if trailing { x.append(1) }
      for i in 0..<order {
        for j in 0..<order { total[i, j] += x[i] * x[j] }
      }
    }
    sum = total
  }

  /// `A` and `G` of a layer, means over tokens.
  func factors(_ linear: Int, of model: DecoderModel) -> (a: Matrix<Double>, g: Matrix<Double>)? {
    let group = model.linears[linear].inputGroup
    guard let a = activations[group], let g = gradients[linear], let count = tokens[group] else {
      return nil
    }
    func mean(_ sum: Matrix<Double>) -> Matrix<Double> {
      Matrix(rows: sum.rows, columns: sum.columns, storage: sum.storage.map { $0 / Double(count) })
    }
    return (mean(a), mean(g))
  }
}

/// A whole forward and backward pass.
func calibrate(
  _ model: DecoderModel,
  _ sequences: TokenSequences,
  labels: LabelSource = .text,
  tokensPerBatch: Int = DecoderBlock.tokensPerBatch
) throws -> (observer: FactorObserver, losses: [Double], gradient: Matrix<Float>) {
  var hidden = try model.embed(sequences)
  var inputs: [Matrix<Float>] = []
  var workspace = BlockWorkspace()
  for index in 0..<model.decoder.blocks {
    inputs.append(hidden)
    let block = try model.loadBlock(index)
    block.forward(
      &hidden,
      length: sequences.length,
      tokensPerBatch: tokensPerBatch,
      in: &workspace
    )
  }
  let losses = try model.loadHead().differentiate(&hidden, sequences, labels: labels)
  var observer = FactorObserver()
  for index in (0..<model.decoder.blocks).reversed() {
    try model.loadBlock(index).backward(
      &hidden,
      BlockInput(inputs[index], length: sequences.length, tokensPerBatch: tokensPerBatch),
      in: &workspace,
      observer: &observer
    )
  }
  return (observer, losses, hidden)
}

/// `‖left − right‖ / ‖right‖` in the Frobenius norm.
func relativeError(_ left: Matrix<Double>, _ right: Matrix<Double>) -> Double {
  precondition(left.rows == right.rows && left.columns == right.columns)
  let pairs = zip(left.storage, right.storage)
  let difference = pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  return difference.squareRoot() / right.frobeniusNorm
}
