import Testing

@testable import Tokenization

@Suite("The structure of a tokenizer")
struct StructureTests {
  @Test("the scheme of each family is known")
  func schemes() throws {
    func scheme(_ family: String) throws -> TokenizerStructure.Scheme {
      try Golden.tokenizer(family).structure.scheme
    }
    let separator = Array("\u{2581}".utf8)
    #expect(try scheme("gpt2") == .byteLevel(.gpt2))
    #expect(try scheme("opt") == .byteLevel(.gpt2))
    #expect(try scheme("llama3") == .byteLevel(.llama3))
    #expect(try scheme("qwen2") == .byteLevel(.qwen2))
    #expect(try scheme("llama2") == .separated(by: separator, .always, isCut: false))
    #expect(
      try scheme("metaspace-first") == .separated(by: separator, .whereMissing, isCut: false)
    )
    #expect(
      try scheme("metaspace-always") == .separated(by: separator, .whereMissing, isCut: true)
    )
    for family in ["prefixed", "unknown"] {
      guard case .other = try scheme(family) else {
        Issue.record("\(family) must not be taken for anything else")
        continue
      }
    }
    #expect(try Golden.tokenizer("qwen2").structure.isComposed)
    #expect(try !Golden.tokenizer("gpt2").structure.isComposed)
    #expect(try Golden.tokenizer("llama3").structure.ignoresMerges)
  }

  @Test("every token is told with its kind", arguments: Golden.families)
  func tokens(family: String) throws {
    let tokenizer = try Golden.tokenizer(family)
    let structure = tokenizer.structure
    #expect(structure.tokens.map(\.id) == structure.tokens.map(\.id).sorted())
    for token in structure.tokens { #expect(tokenizer.token(of: token.id) == token.text) }
    let kinds = Dictionary(grouping: structure.tokens, by: \.kind)
    let hasBytes = family == "llama2" || family.hasPrefix("metaspace")
    #expect(kinds[.byte]?.count ?? 0 == (hasBytes ? 256 : 0))
    if family != "opt" {
      #expect(kinds[.added]?.contains { $0.text.string == "solo" } == true)
      #expect(kinds[.special]?.contains { $0.text.string == "<|both|>" } == true)
      let conditional = Set(structure.conditionalTokens.map(\.string))
      #expect(conditional.isSuperset(of: ["<|left|>", "<|right|>", "<|both|>", "solo"]))
      #expect(!conditional.contains("<|pair|>"))
    }
  }

  @Test("the merges are those of the file, in order")
  func merges() throws {
    let tokenizer = try Golden.tokenizer("llama2")
    let root = try JSONNode.parse(try Golden.document("llama2"), file: "tokenizer.json")
    let pairs = try root.member("model").member("merges").elements().map { node in
      try node.elements().map { try $0.text() }
    }
    let found = tokenizer.structure.merges.map { merge in
      [merge.left, merge.right].compactMap { tokenizer.token(of: $0) }
    }
    #expect(found == pairs)
    for merge in tokenizer.structure.merges {
      let parts = [merge.left, merge.right].compactMap { tokenizer.token(of: $0)?.utf8 }
      #expect(tokenizer.token(of: merge.result)?.utf8 == parts.flatMap { $0 })
    }
  }
}
