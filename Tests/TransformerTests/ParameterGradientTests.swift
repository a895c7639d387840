import LinearAlgebra
import Testing

@testable import Transformer

/// Keeps the gradients of weights, biases and norms.
private struct Recorder: LinearObserver {
  var weights: [Int: Matrix<Float>] = [:]
  var norms: [BlockNormGradients] = []

  var observesNorms: Bool { true }

  mutating func observe(_ traffic: [LinearTraffic]) {
    for shown in traffic {
      for (linear, pieces) in zip(shown.group.linears, shown.gradients) {
        weights[linear] = pieces.first
      }
    }
  }

  mutating func observe(_ norms: BlockNormGradients) { self.norms.append(norms) }
}

@Suite("Gradients of a block's norms, and halves of a block")
struct ParameterGradientTests {
  @Test("the norms' gradients are difference quotients", arguments: BlockTests.decoders)
  func norms(decoder: DecoderDescription) throws {
    let pass = try BackwardPass(decoder, state: 17, observer: Recorder())
    let found = try #require(pass.observer.norms.first)
    #expect(pass.observer.norms.count == 1)
    func expected(_ norm: Int, isBias: Bool) -> [Double] {
      (0..<decoder.hiddenSize).map { column in
        quotient { step in
          var nudged = pass.pair.brute
          if isBias {
            nudged.norms[norm].bias[column] += step
          } else {
            nudged.norms[norm].weight[column] += step
          }
          return objective(nudged.forward(pass.input, length: 5), pass.slope)
        }
      }
    }
    for (norm, gradient) in [found.attention, found.feedForward].enumerated() {
      #expect(distance(gradient.weight, expected(norm, isBias: false)) <= 2e-5)
      guard decoder.norm == .layer else {
        #expect(gradient.bias.isEmpty)
        continue
      }
      #expect(distance(gradient.bias, expected(norm, isBias: true)) <= 2e-5)
    }
  }

  /// `‖left − right‖ / ‖right‖`.
  private func distance(_ left: [Float], _ right: [Double]) -> Double {
    let difference = zip(left, right).reduce(0.0) {
      $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1)
    }
    return (difference / right.reduce(0.0) { $0 + $1 * $1 }).squareRoot()
  }

  @Test("a block is its two halves, one after the other", arguments: BlockTests.decoders)
  func halves(decoder: DecoderDescription) throws {
    let block = Pair(decoder).block
    var numbers = Numbers(state: 19)
    let input = matrix(numbers.rows(10, decoder.hiddenSize))
    var workspace = BlockWorkspace()
    var (whole, middle) = (input, input)
    block.forward(&whole, length: 5, in: &workspace)
    block.only(.attention).forward(&middle, length: 5, in: &workspace)
    var output = middle
    block.only(.feedForward).forward(&output, length: 5, in: &workspace)
    #expect(output == whole)

    let slope = matrix(numbers.rows(10, decoder.hiddenSize))
    var (gradient, parts) = (slope, slope)
    var (one, two) = (Recorder(), Recorder())
    try block.backward(
      &gradient,
      BlockInput(input, length: 5),
      in: &workspace,
      observer: &one
    )
    for (half, input) in [(BlockParts.feedForward, middle), (.attention, input)] {
      try block.only(half).backward(
        &parts,
        BlockInput(input, length: 5),
        in: &workspace,
        observer: &two
      )
    }
    #expect(parts == gradient)
    #expect(two.weights == one.weights)
    #expect(two.norms[0].feedForward == one.norms[0].feedForward)
    #expect(two.norms[1].attention == one.norms[0].attention)
  }
}
