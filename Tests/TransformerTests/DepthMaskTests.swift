import LinearAlgebra
import Tensors
import TestKit
import Testing

@testable import Transformer

@Suite("Models without some of their parts")
struct DepthMaskTests {
  /// The model with zeros in the last linear layer of the parts that a mask takes out.
  private static func silenced(_ fixture: Fixture, _ mask: DepthMask) throws -> DecoderModel {
    let model = try fixture.model()
    var weights = fixture.weights
    for linear in model.linears {
      let isLast = linear.role == .attentionOutput || linear.role == .down
      guard isLast, mask[linear.block].isDisjoint(with: linear.role.part) else { continue }
      let shape = [linear.outputs, linear.inputs]
      weights.set(linear.weight, shape, [Double](repeating: 0, count: shape[0] * shape[1]))
      guard let bias = linear.bias else { continue }
      weights.set(bias, [shape[0]], [Double](repeating: 0, count: shape[0]))
    }
    let configuration = try ModelConfiguration(config: fixture.config)
    return try DecoderModel(configuration: configuration, source: weights)
  }

  /// All masks of a model of two blocks.
  private static let masks = (0..<16).map { bits in
    var mask = DepthMask(keepingAll: 2)
    for block in 0..<2 {
      mask.remove(BlockParts(rawValue: bits >> (2 * block) & 3), ofBlock: block)
    }
    return mask
  }

  @Test(
    "what does not run adds nothing, as if its output layer were zero",
    arguments: ["opt", "llama"]
  )
  func zeros(name: String) throws {
    let fixture = try Fixture(name)
    let tokens = try fixture.tokens()
    var states = try MaskedStates(try fixture.model(), tokens)
    let head = try fixture.model().loadHead()
    for mask in Self.masks {
      let expected = try Self.silenced(fixture, mask).logits(tokens)
      #expect(try head.logits(states.output(under: mask)) == expected)
    }
  }

  @Test("kept states do not change what a mask gives", arguments: ["opt", "llama3"])
  func keeping(name: String) throws {
    let fixture = try Fixture(name)
    let (model, tokens) = (try fixture.model(), try fixture.tokens())
    var states = try MaskedStates(model, tokens)
    var generator = SplitMix64(seed: 3)
    for _ in 0..<12 {
      let (kept, asked) = (
        try #require(Self.masks.randomElement(using: &generator)),
        try #require(Self.masks.randomElement(using: &generator))
      )
      try states.keep(kept)
      #expect(states.mask == kept)
      var fresh = try MaskedStates(model, tokens)
      #expect(try states.output(under: asked) == fresh.output(under: asked))
      #expect(try states.output == fresh.output(under: kept))
    }
  }

  @Test("the state within a block is that after its attention part")
  func within() throws {
    let fixture = try Fixture("llama")
    let (model, tokens) = (try fixture.model(), try fixture.tokens())
    var states = try MaskedStates(model, tokens)
    var mask = DepthMask(keepingAll: 2)
    mask.remove(.feedForward, ofBlock: 1)
    #expect(try states.stateWithin(1) == states.output(under: mask))
    try states.keep(DepthMask(keepingAll: 2).removing(.attention, ofBlock: 1))
    #expect(try states.stateWithin(1) == states.state(before: 1))
  }

  @Test("the distance of logits is the mean Euclidean one over all positions")
  func distance() throws {
    let fixture = try Fixture("opt")
    let (model, tokens) = (try fixture.model(), try fixture.tokens())
    var states = try MaskedStates(model, tokens)
    let head = try model.loadHead()
    let mask = DepthMask(keepingAll: 2).removing(.all, ofBlock: 1)
    let other = try states.output(under: mask)
    let (left, right) = (head.logits(states.output), head.logits(other))
    let expected =
      (0..<left.rows).map { row in
        (0..<left.columns).reduce(0.0) { sum, column in
          let difference = Double(left[row, column]) - Double(right[row, column])
          return sum + difference * difference
        }.squareRoot()
      }.reduce(0, +) / Double(left.rows)
    #expect(expected > 0)
    #expect(abs(head.logitDistance(states.output, other) - expected) <= 1e-12 * expected)
    #expect(head.logitDistance(other, other) == 0)
  }

  @Test("tensors of kept blocks get new numbers, those of others none, the rest their own")
  func names() throws {
    let fixture = try Fixture("llama")
    var weights = fixture.weights
    // Old checkpoints hold what nobody reads, under any number.
    weights.set("model.layers.01.self_attn.rotary_emb.inv_freq", [1], [0])
    let configuration = try ModelConfiguration(config: fixture.config)
    let model = try DecoderModel(configuration: configuration, source: weights)
    let names = model.names(keepingBlocks: [1])
    #expect(names["model.layers.1.mlp.up_proj.weight"] == "model.layers.0.mlp.up_proj.weight")
    #expect(names["model.norm.weight"] == "model.norm.weight")
    #expect(names["model.layers.0.mlp.up_proj.weight"] == nil)
    #expect(names["model.layers.01.self_attn.rotary_emb.inv_freq"] == nil)
    #expect(Set(names.values).count == names.count)
    let whole = try fixture.model()
    let all = whole.names(keepingBlocks: [0, 1])
    #expect(all.allSatisfy { $0.key == $0.value } && all.count == fixture.weights.names.count)
  }
}
