import ExactJSON
import Testing

@testable import Tokenization

@Suite("Agreement with the reference implementations")
struct GoldenTests {
  @Test("gives the ids of the tokenizers library", arguments: Golden.families, [false, true])
  func ids(family: String, addSpecialTokens: Bool) throws {
    let tokenizer = try Golden.tokenizer(family)
    let expected = try Golden.ids(addSpecialTokens ? "special" : "plain", of: family)
    for (text, ids) in zip(try Golden.texts(), expected) {
      let found = try tokenizer.encode(text, addSpecialTokens: addSpecialTokens)
      #expect(found == ids, "\(String(decoding: text, as: UTF8.self).debugDescription)")
    }
  }

  @Test("gives the ids of sentencepiece where no added token stands in the text")
  func sentencepiece() throws {
    let tokenizer = try Golden.tokenizer("llama2")
    for (text, ids) in zip(try Golden.texts(), try Golden.ids("sentencepiece", of: "llama2")) {
      guard let ids else { continue }
      #expect(try tokenizer.encode(text, addSpecialTokens: false) == ids)
    }
  }

  @Test("decodes as the tokenizers library where that loses nothing", arguments: Golden.families)
  func decoding(family: String) throws {
    let tokenizer = try Golden.tokenizer(family)
    let ids = try Golden.ids("special", of: family)
    for (ids, text) in zip(ids, try Golden.column("decoded", of: family)) {
      let (ids, expected) = (try #require(ids), try #require(text.text).utf8)
      guard !expected.contains([0xEF, 0xBF, 0xBD]) else { continue }  // U+FFFD marks a loss.
      #expect(try tokenizer.decode(ids) == expected)
    }
  }

  @Test("decodes what it encoded to the same bytes", arguments: Golden.lossless)
  func roundTrip(family: String) throws {
    let tokenizer = try Golden.tokenizer(family)
    var randomness = Randomness(seed: 11)
    for length in 0..<60 {
      let text = randomness.text(scalars: length)
      let ids = try tokenizer.encode(text)
      #expect(try tokenizer.decode(ids, skipsSpecialTokens: true) == text)
    }
  }

  @Test("encodes every text of a Llama 2 vocabulary so that it decodes to itself")
  func fallbackRoundTrip() throws {
    let tokenizer = try Golden.tokenizer("llama2")
    var randomness = Randomness(seed: 12)
    for length in 0..<60 {
      let text = randomness.text(scalars: length)
      let ids = try tokenizer.encode(text)
      #expect(try tokenizer.decode(ids, skipsSpecialTokens: true) == text)
    }
  }
}

@Suite("What a tokenizer says of itself")
struct TokenizerFactsTests {
  @Test("tokens and ids are inverse to each other", arguments: Golden.families)
  func inverse(family: String) throws {
    let tokenizer = try Golden.tokenizer(family)
    for id in 0..<Int32(tokenizer.vocabularySize) {
      let token = try #require(tokenizer.token(of: id))
      #expect(tokenizer.id(of: token.string) == id)
    }
    #expect(tokenizer.token(of: Int32(tokenizer.vocabularySize)) == nil)
    #expect(tokenizer.token(of: -1) == nil)
  }

  @Test("the configuration names begin and end of text")
  func marks() throws {
    let llama = try Golden.tokenizer("llama2")
    #expect(llama.beginOfText == llama.id(of: "<s>"))
    #expect(llama.endOfText == llama.id(of: "</s>"))
    #expect(llama.prefix == [try #require(llama.beginOfText)])
    let opt = try Golden.tokenizer("opt")
    #expect(opt.beginOfText == opt.id(of: "</s>"))
    #expect(opt.prefix == [try #require(opt.beginOfText)])
    #expect(try Golden.tokenizer("gpt2").beginOfText == nil)
  }

  @Test("skipping special tokens leaves only these out")
  func skipping() throws {
    let tokenizer = try Golden.tokenizer("llama3")
    let ids = try tokenizer.encode(Array("a<|pair|>b".utf8))
    let end = try #require(tokenizer.id(of: "<|both|>"))
    #expect(ids.last == end)
    #expect(try tokenizer.decode(ids, skipsSpecialTokens: true) == Array("a<|pair|>b".utf8))
  }

  @Test("an id outside the vocabulary is refused")
  func unknownID() throws {
    let tokenizer = try Golden.tokenizer("gpt2")
    let id = Int32(tokenizer.vocabularySize)
    #expect(throws: TokenizationError.unknownID(id)) { try tokenizer.decode([0, id]) }
    #expect(throws: TokenizationError.unknownID(-1)) { try tokenizer.decode([-1]) }
  }
}
