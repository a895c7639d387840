import Checkpoint
import ExactJSON
import Export
import Tensors
import TestKit
import Testing
import Transformer

@Suite("Smaller shapes")
struct ProfileTests {
  static let names = ["opt", "llama", "llama3"]

  /// Neurons and heads gone, in each block others.
  static func uneven(_ name: String) throws -> MaskedModel {
    try MaskedModel(name) { linear in
      switch (linear.role, linear.block) {
      case (.down, 0): .columns(Array(3..<15))
      case (.down, 1): .columns(Array(0..<20))
      case (.attentionOutput, 0): .heads([0, 1])
      default: nil
      }
    }
  }

  /// The same numbers of neurons and heads gone in each block.
  static func even(_ name: String) throws -> MaskedModel {
    try MaskedModel(name) { linear in
      switch linear.role {
      case .down: .columns(linear.block == 0 ? [1, 2, 3, 9] : [0, 5, 6, 30])
      case .attentionOutput: .heads(linear.block == 0 ? [0, 1] : [2, 3])
      default: nil
      }
    }
  }

  @Test("every profile computes what the masked model does", arguments: names, Profile.allCases)
  func logits(name: String, profile: Profile) throws {
    let masked = try Self.uneven(name)
    let (written, _) = try masked.export(as: profile)
    // What is left out are zeros in sums; their order changes the last bits.
    #expect(try masked.logitError(of: written) <= 1e-6)
  }

  @Test("equal sizes are the maximum over the blocks", arguments: names)
  func uniform(name: String) throws {
    let masked = try Self.uneven(name)
    let (written, _) = try masked.export(as: .uniform)
    let before = try masked.model(masked.directory).decoder.blockShapes[0]
    let shape = try #require(try masked.model(written).decoder.uniformShape)
    #expect(shape.innerSize == before.innerSize - 12)
    #expect(shape.heads == before.heads)
    #expect(written.configuration["model_type"] == masked.directory.configuration["model_type"])
    #expect(written.configuration["auto_map"] == nil)
  }

  @Test(
    "the file falls by the share of the parameters",
    arguments: names,
    [Profile.uniform, .perLayer]
  )
  func bytes(name: String, profile: Profile) throws {
    let masked = try Self.even(name)
    let (written, _) = try masked.export(as: profile)
    // Fixtures are tiny, so the header of file and tensors is set apart.
    func data(_ name: String) throws -> Int {
      let file = try masked.scratch.read("\(name)/model.safetensors")
      return file.count - 8 - file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    let share =
      Double(try MaskedModel.parameters(written))
      / Double(try MaskedModel.parameters(masked.directory))
    #expect(share < 0.98)
    #expect(abs(Double(try data("out")) / Double(try data("in")) - share) <= 0.005 * share)
  }

  @Test("heads that no longer divide the hidden size change the badge, not the logits")
  func badge() throws {
    let masked = try MaskedModel("llama") { $0.role == .attentionOutput ? .heads([1]) : nil }
    let (written, export) = try masked.export(as: .uniform)
    let configuration = written.configuration
    #expect(configuration["model_type"] == "mistral")
    #expect(configuration["architectures"] == ["MistralForCausalLM"])
    #expect(configuration["sliding_window"] == .null)
    #expect(configuration["num_attention_heads"] == 3 && configuration["num_key_value_heads"] == 3)
    #expect(configuration["head_dim"] == 8)
    #expect(export.notes.contains { $0.contains("written as mistral") })
    #expect(try masked.logitError(of: written) <= 1e-6)
    // Written again it stays what it is.
    let (again, _) = try masked.export(as: .uniform, from: written, to: "again")
    #expect(again.configuration == configuration)
  }

  @Test("families that cannot drop heads keep them, and say so")
  func keptHeads() throws {
    let masked = try Self.even("opt")
    for profile in [Profile.uniform, .perLayer] {
      let (written, export) = try masked.export(as: profile, to: profile.rawValue)
      #expect(written.configuration["num_attention_heads"] == 4)
      #expect(export.notes.contains { $0.hasPrefix("4 of the heads contribute nothing") })
    }
  }

  @Test("sizes of each block stand in lists beside the class that reads them", arguments: names)
  func lists(name: String) throws {
    let masked = try Self.uneven(name)
    let (written, _) = try masked.export(as: .perLayer)
    let inner = try masked.model(masked.directory).decoder.blockShapes[0].innerSize
    let configuration = written.configuration
    #expect(
      configuration["layer_intermediate_size"] == [JSONValue(inner - 12), JSONValue(inner - 20)]
    )
    let type = name == "opt" ? "OPT" : "Llama"
    #expect(configuration["architectures"] == [JSONValue("Pruned\(type)ForCausalLM")])
    let source = String(decoding: try masked.scratch.read("out/modeling_pruned.py"), as: UTF8.self)
    #expect(source.contains("class Pruned\(type)ForCausalLM(\(type)ForCausalLM):"))
    #expect(!source.contains("\\"))
    if name != "opt" {
      #expect(configuration["layer_num_attention_heads"] == [2, 4])
    }
    let (again, _) = try masked.export(as: .perLayer, from: written, to: "again")
    #expect(again.configuration == configuration)
    #expect(throws: ExportError.blocksDiffer(.uniform)) {
      try masked.export(as: .uniform, from: written, to: "uniform")
    }
  }

  @Test("surgeon.json says what stays of which model, and config.json nothing of it")
  func record() throws {
    let masked = try Self.uneven("opt")
    let (written, _) = try masked.export(as: .uniform)
    let record = try JSONParser.parse(try masked.scratch.read("out/surgeon.json"))
    #expect(record["profile"] == "uniform")
    #expect(record["sourceFingerprint"]?.string == "\(try masked.directory.fingerprint())")
    let blocks = try #require(record["blocks"]?.array)
    let neurons = try #require(blocks[0]["neurons"]?.array).compactMap(\.integer)
    #expect(neurons == Array(0..<3) + Array(15..<48))
    let keys = try #require(written.configuration.object).members.map(\.key)
    let known = try #require(masked.directory.configuration.object).members.map(\.key)
    #expect(keys == known)
    let (_, _) = try masked.export(as: .masked, to: "masked")
    #expect(try masked.scratch.names(in: "masked") == ["config.json", "model.safetensors"])
  }
}
