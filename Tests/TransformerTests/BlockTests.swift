import LinearAlgebra
import Testing

@testable import Transformer

/// One random block, in both implementations.
struct Pair {
  let brute: BruteForceBlock
  let block: DecoderBlock

  init(_ decoder: DecoderDescription) {
    var numbers = Numbers(state: 7)
    var brute = BruteForceBlock(decoder: decoder, weights: [:], biases: [:], norms: [])
    for role in decoder.roles {
      let shape = decoder.shape(of: role, block: 0)
      brute.weights[role] = numbers.rows(shape.outputs, shape.inputs)
      if decoder.biased.contains(role) { brute.biases[role] = numbers.row(shape.outputs) }
    }
    let zeros = [Double](repeating: 0, count: decoder.hiddenSize)
    for _ in 0..<2 {
      let weight = numbers.row(decoder.hiddenSize)
      let bias = decoder.norm == .layer ? numbers.row(decoder.hiddenSize) : zeros
      brute.norms.append((weight, bias))
    }
    self.brute = brute
    func linear(_ role: LinearRole) -> Linear {
      let weight = matrix(brute.weights[role] ?? [[]])
      return Linear(weight: weight, bias: brute.biases[role]?.map(Float.init))
    }
    func norm(_ number: Int) -> Norm {
      Norm(
        kind: decoder.norm,
        epsilon: Float(decoder.normEpsilon),
        weight: brute.norms[number].weight.map(Float.init),
        bias: decoder.norm == .layer ? brute.norms[number].bias.map(Float.init) : nil
      )
    }
    let groups = LinearRole.groups(of: decoder).map { roles in
      InputGroup(
        name: roles[0].rawValue,
        block: 0,
        linears: roles.map { decoder.roles.firstIndex(of: $0) ?? 0 },
        inputs: decoder.shape(of: roles[0], block: 0).inputs,
        hasBias: decoder.biased.contains(roles[0])
      )
    }
    block = DecoderBlock(
      index: 0,
      decoder: decoder,
      groups: groups,
      attentionNorm: norm(0),
      query: linear(.query),
      key: linear(.key),
      value: linear(.value),
      attentionOutput: linear(.attentionOutput),
      feedForwardNorm: norm(1),
      gate: decoder.isGated ? linear(.gate) : nil,
      up: linear(.up),
      down: linear(.down)
    )
  }
}

/// Two sequences of five tokens that went through a block, and a gradient that came back.
struct BackwardPass<Observer: LinearObserver> {
  let pair: Pair
  /// The block's input and the gradient with respect to its output, row by row.
  let input, slope: [[Double]]
  /// The gradient with respect to the input.
  let gradient: Matrix<Float>
  /// What it saw.
  let observer: Observer

  init(_ decoder: DecoderDescription, state: UInt64, observer: Observer) throws {
    pair = Pair(decoder)
    var numbers = Numbers(state: state)
    input = numbers.rows(10, decoder.hiddenSize)
    slope = numbers.rows(10, decoder.hiddenSize)
    var (gradient, observer, workspace) = (matrix(slope), observer, BlockWorkspace())
    try pair.block.backward(
      &gradient,
      BlockInput(matrix(input), length: 5),
      in: &workspace,
      observer: &observer
    )
    self.gradient = gradient
    self.observer = observer
  }
}

/// Keeps the gradients themselves.
private struct Recorder: LinearObserver {
  var gradients: [Int: Matrix<Float>] = [:]

  mutating func observe(_ traffic: [LinearTraffic]) {
    for shown in traffic {
      for (linear, pieces) in zip(shown.group.linears, shown.gradients) {
        gradients[linear] = pieces.first
      }
    }
  }
}

@Suite("One block against brute force in double precision")
struct BlockTests {
  static let decoders = [
    // Learned positions, LayerNorm, ReLU, biases.
    describe(groups: 3, norm: .layer, position: .learned(offset: 0), activation: .relu),
    // Rotary positions, RMSNorm, gated SiLU, no biases, one key head for all queries.
    describe(groups: 1, norm: .rootMeanSquare, position: .rotary(base: 50, scaling: .none)),
    // The same with as many key heads as query heads and biases, frequencies scaled.
    describe(
      groups: 3,
      norm: .rootMeanSquare,
      position: .rotary(base: 50, scaling: .linear(factor: 2)),
      biased: Set(LinearRole.allCases)
    ),
  ]

  static func describe(
    groups: Int,
    norm: NormKind,
    position: PositionKind,
    activation: Activation = .silu,
    biased: Set<LinearRole>? = nil
  ) -> DecoderDescription {
    DecoderDescription(
      hiddenSize: 10,
      blockShapes: [BlockShape(heads: 3, keyValueHeads: groups, innerSize: 7)],
      headSize: 4,
      vocabulary: 5,
      positions: 16,
      norm: norm,
      normEpsilon: 1e-5,
      position: position,
      activation: activation,
      biased: biased ?? (activation == .relu ? Set(LinearRole.allCases) : []),
      isGated: activation == .silu,
      isTied: true
    )
  }

  @Test("forward computes the definition", arguments: decoders, [1, 5])
  func forward(decoder: DecoderDescription, length: Int) {
    let pair = Pair(decoder)
    var numbers = Numbers(state: 11)
    let input = numbers.rows(3 * length, decoder.hiddenSize)
    let expected = matrix(pair.brute.forward(input, length: length)).widened()
    var hidden = matrix(input)
    var workspace = BlockWorkspace()
    pair.block.forward(&hidden, length: length, in: &workspace)
    // Some ten sums of at most 12 products, each within 12 · 6e-8 of its largest term.
    #expect(relativeError(hidden.widened(), expected) <= 1e-5)
  }

  @Test("the input's gradient is the difference quotient", arguments: decoders)
  func inputGradient(decoder: DecoderDescription) throws {
    let pass = try BackwardPass(decoder, state: 13, observer: Recorder())
    var expected = Matrix<Double>(rows: 10, columns: decoder.hiddenSize)
    for token in 0..<10 {
      for column in 0..<decoder.hiddenSize {
        expected[token, column] = quotient { step in
          var nudged = pass.input
          nudged[token][column] += step
          return objective(pass.pair.brute.forward(nudged, length: 5), pass.slope)
        }
      }
    }
    // Rounding as in the forward pass; the quotient itself is good to 1e-8.
    #expect(relativeError(pass.gradient.widened(), expected) <= 2e-5)
  }

  @Test("every linear layer's gradient is the difference quotient", arguments: decoders)
  func linearGradients(decoder: DecoderDescription) throws {
    let pass = try BackwardPass(decoder, state: 17, observer: Recorder())
    for (linear, role) in decoder.roles.enumerated() {
      let found = try #require(pass.observer.gradients[linear])
      var expected = Matrix<Double>(rows: 10, columns: decoder.shape(of: role, block: 0).outputs)
      try #require(found.columns == expected.columns)
      for token in 0..<10 {
        for output in 0..<expected.columns {
          expected[token, output] = quotient { step in
            var nudged = pass.pair.brute
            nudged.nudge = (role, token, output, step)
            return objective(nudged.forward(pass.input, length: 5), pass.slope)
          }
        }
      }
      #expect(relativeError(found.widened(), expected) <= 2e-5, "\(role)")
    }
  }

  @Test("overflow in the gradient is reported with the block")
  func overflow() {
    let pair = Pair(Self.decoders[0])
    var numbers = Numbers(state: 19)
    let input = matrix(numbers.rows(4, 10))
    var gradient = Matrix<Float>(rows: 4, columns: 10, repeating: .greatestFiniteMagnitude)
    var recorder = Recorder()
    var workspace = BlockWorkspace()
    #expect(throws: ModelError.gradientNotFinite(block: 0)) {
      try pair.block.backward(
        &gradient,
        BlockInput(input, length: 4),
        in: &workspace,
        observer: &recorder
      )
    }
  }
}
