import ExactJSON
import Tensors
import Testing

@testable import Transformer

@Suite("Tensors of a checkpoint")
struct TensorTests {
  static func open(_ fixture: Fixture, _ source: MemorySource) throws -> DecoderModel {
    try DecoderModel(
      configuration: try ModelConfiguration(config: fixture.config),
      source: source
    )
  }

  @Test("every tensor is called for", arguments: ["opt", "llama", "llama3"])
  func missing(name: String) throws {
    let fixture = try Fixture(name)
    for tensor in fixture.weights.names {
      var source = fixture.weights
      source.remove(tensor)
      #expect(throws: ModelError.self, "\(tensor)") { try Self.open(fixture, source) }
      source = fixture.weights
      let shape = try #require(source.shapes[tensor])
      let wrong = shape.map { $0 + 1 }
      source.shapes[tensor] = wrong
      #expect(throws: ModelError.wrongShape(tensor, expected: shape, found: wrong)) {
        try Self.open(fixture, source)
      }
      source = fixture.weights
      source.types[tensor] = .int8
      #expect(throws: ModelError.wrongElementType(tensor, found: .int8)) {
        try Self.open(fixture, source)
      }
    }
  }

  @Test("a tensor in a block that nothing reads is refused, but for frequencies of old checkpoints")
  func unexpected() throws {
    let fixture = try Fixture("llama")
    var source = fixture.weights
    source.set("model.layers.0.self_attn.rotary_emb.inv_freq", [4], [1, 1, 1, 1])
    source.set("unrelated", [1], [0])
    _ = try Self.open(fixture, source)
    for name: TensorName in [
      "model.layers.0.self_attn.q_proj.bias", "model.layers.2.mlp.up.weight",
    ] {
      source.set(name, [32], [Double](repeating: 0, count: 32))
      #expect(throws: ModelError.unexpectedTensor(name)) { try Self.open(fixture, source) }
      source.remove(name)
    }
  }

  @Test("the names' root may be left out", arguments: ["opt", "llama", "llama3"])
  func bareNames(name: String) throws {
    let fixture = try Fixture(name)
    var bare = MemorySource()
    for tensor in fixture.weights.names {
      let text = "\(tensor)"
      let short = text.hasPrefix("model.") ? String(text.dropFirst(6)) : text
      bare.set(
        TensorName(short),
        try #require(fixture.weights.shapes[tensor]),
        try #require(fixture.weights.values[tensor])
      )
    }
    let model = try Self.open(fixture, bare)
    let original = try fixture.model()
    let tokens = try fixture.tokens()
    #expect(try model.logits(tokens) == original.logits(tokens))
    #expect(model.linears.map(\.name) == original.linears.map(\.name))
    #expect(model.linears.allSatisfy { "model.\($0.weight)" == "\($0.name).weight" })
  }

  @Test("NaN and infinity in a tensor are reported with its name", arguments: ["opt", "llama"])
  func notFinite(name: String) throws {
    let fixture = try Fixture(name)
    let tokens = try fixture.tokens()
    for tensor in fixture.weights.names {
      for bad in [Double.nan, .infinity] {
        var source = fixture.weights
        source.values[tensor]?[3] = bad
        let model = try Self.open(fixture, source)
        #expect(throws: ModelError.tensorNotFinite(tensor, index: 3)) { try model.losses(tokens) }
      }
    }
  }

  @Test("activations beyond single precision are reported as such")
  func overflow() throws {
    let fixture = try Fixture("opt")
    var source = fixture.weights
    for name in source.names where "\(name)".hasSuffix("fc2.weight") {
      source.values[name] = source.values[name]?.map { $0 * 1e38 }
    }
    let model = try Self.open(fixture, source)
    #expect(throws: ModelError.lossNotFinite(sequence: 0)) {
      try model.losses(try fixture.tokens())
    }
  }

  @Test("a tied projection may be stored, but not differ")
  func tiedHead() throws {
    let fixture = try Fixture("llama3")
    var source = fixture.weights
    let embedding = try #require(source.values["model.embed_tokens.weight"])
    source.set("lm_head.weight", [96, 32], embedding)
    let tokens = try fixture.tokens()
    #expect(try Self.open(fixture, source).losses(tokens) == fixture.model().losses(tokens))
    source.values["lm_head.weight"]?[7] += 1
    let model = try Self.open(fixture, source)
    #expect(throws: ModelError.conflictingHead("lm_head.weight")) { try model.loadHead() }
  }

  @Test("a source that fails or lies is reported with the tensor's name")
  func unreadable() throws {
    let fixture = try Fixture("opt")
    var source = fixture.weights
    let name: TensorName = "model.decoder.layers.1.fc1.weight"
    source.values[name] = nil
    let model = try Self.open(fixture, source)
    let error = #expect(throws: ModelError.self) { try model.loadBlock(1) }
    guard case .unreadableTensor(name, _)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    source.values[name] = [1, 2, 3]
    let liar = try Self.open(fixture, source)
    #expect(throws: ModelError.self) { try liar.loadBlock(1) }
  }

  @Test("layers that read the same input share a group, in the order of the block")
  func groups() throws {
    let model = try Fixture("llama3").model()
    #expect(model.linears.count == 14)
    #expect(
      model.linears[7...].map(\.kind) == [
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
      ]
    )
    #expect(
      model.inputGroups.map(\.linears) == [
        [0, 1, 2], [3], [4, 5], [6], [7, 8, 9], [10], [11, 12], [13],
      ]
    )
    for group in model.inputGroups {
      for linear in group.linears {
        #expect(model.linears[linear].inputGroup == group.name)
        #expect(model.linears[linear].inputs == group.inputs)
        #expect(model.linears[linear].block == group.block)
        #expect(model.linears[linear].hasBias == group.hasBias)
      }
    }
  }

  @Test("every error says what is wrong")
  func descriptions() {
    let errors: [ModelError] = [
      .configurationIsNoObject, .missingKey("k"), .missingTensor("t"), .unexpectedTensor("t"),
      .wrongShape("t", expected: [1], found: [2]), .wrongElementType("t", found: .bool),
      .unreadableTensor("t", reason: "r"), .tensorNotFinite("t", index: 3), .conflictingHead("t"),
    ]
    let texts = errors.map { "\($0)" }
    #expect(Set(texts).count == texts.count)
    #expect(!texts.contains("the model cannot be run"))
  }
}
