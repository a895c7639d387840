import Checkpoint
import ExactJSON
import Safetensors
import Tensors
import TestKit
import Testing
import Transformer

@testable import Export

@Suite("What families allow")
struct FamilyTests {
  /// A model of eight heads in a hidden state of 64, with or without biases.
  static func decoder(groups: Int, hasBias: Bool) throws -> DecoderDescription {
    try ModelConfiguration(config: [
      "model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 10,
      "intermediate_size": 100, "num_attention_heads": 8, "num_key_value_heads": JSONValue(groups),
      "max_position_embeddings": 16, "attention_bias": .bool(hasBias),
    ]).decoder
  }

  /// Heads, groups: the least that hold every block, and what is written.
  static let sizes = [
    ((3, 3), 8, (4, 4)), ((5, 5), 8, (8, 8)), ((2, 2), 8, (2, 2)), ((8, 8), 8, (8, 8)),
    ((6, 3), 4, (8, 4)), ((3, 3), 4, (4, 4)), ((2, 1), 4, (2, 1)),
  ]

  @Test("with biases, the fewest heads that divide the hidden size", arguments: sizes)
  func divisors(least: (Int, Int), groups: Int, expected: (Int, Int)) throws {
    let family = try #require(FamilyClass.of("llama"))
    let shape = BlockShape(heads: least.0, keyValueHeads: least.1, innerSize: 7)
    let (written, badge) = family.uniformSizes(
      atLeast: shape,
      of: try Self.decoder(groups: groups, hasBias: true)
    )
    #expect(
      written == BlockShape(heads: expected.0, keyValueHeads: expected.1, innerSize: 7)
    )
    #expect(badge == nil)
  }

  @Test("without biases the sizes stay, under another name where they must")
  func badges() throws {
    let family = try #require(FamilyClass.of("llama"))
    let decoder = try Self.decoder(groups: 8, hasBias: false)
    let biased = try Self.decoder(groups: 8, hasBias: true)
    for heads in 1...8 {
      let shape = BlockShape(heads: heads, keyValueHeads: heads, innerSize: 7)
      let (written, badge) = family.uniformSizes(atLeast: shape, of: decoder)
      #expect(written == shape)
      #expect((badge?.modelType == "mistral") == ([3, 5, 6, 7].contains(heads)))
      #expect(family.filledSizes(atLeast: shape, of: decoder) == shape)
      let filled = family.filledSizes(atLeast: shape, of: biased)
      #expect(filled.heads == [1, 2, 4, 4, 8, 8, 8, 8][heads - 1])
    }
  }

  @Test("no zero of a linear layer has a sign in any profile", arguments: Profile.allCases)
  func zeros(profile: Profile) throws {
    let masked = try ProfileTests.uneven("llama")
    let source = masked.directory.tensors
    let signed = try source.names.map { name in
      let description = try source.existing(name)
      let bytes = try source.bytes(name)
      return SafetensorsWriter.Tensor(name, description) { Self.negated(bytes) }
    }
    try SafetensorsWriter.write(signed, to: masked.scratch.path("in/model.safetensors"))
    let directory = try ModelDirectory(masked.scratch.path("in"))
    try #require(try Self.negativeZeros(directory, masked) > 0)
    let (written, _) = try masked.export(as: profile, from: directory)
    #expect(try Self.negativeZeros(written, masked) == 0)
  }

  /// Single-precision zeros with a sign.
  private static func negated(_ bytes: [UInt8]) -> [UInt8] {
    var result = bytes
    for start in stride(from: 0, to: bytes.count, by: 4)
    where bytes[start..<start + 4].allSatisfy({ $0 == 0 }) {
      result[start + 3] = 0x80
    }
    return result
  }

  private static func negativeZeros(_ directory: ModelDirectory, _ masked: MaskedModel) throws
    -> Int
  {
    try masked.model(directory).linears.reduce(0) { sum, linear in
      sum + (try directory.tensors.floats(linear.weight)).count { $0 == 0 && $0.sign == .minus }
    }
  }
}
