import ExactJSON
import Foundation
import Testing

@testable import Tokenization

@Suite("Inputs that are wrong")
struct HostileInputTests {
  /// Byte strings that are not UTF-8 from their first byte on.
  static let invalid: [[UInt8]] = [
    [0x80], [0xC0, 0x80], [0xC3], [0xE2, 0x82], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80],
    [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5], [0xFF],
  ]

  @Test("text that is not UTF-8 is refused with the offset", arguments: invalid)
  func invalidUTF8(bytes: [UInt8]) throws {
    let tokenizer = try Golden.tokenizer("llama2")
    let head = Array("né ".utf8)
    #expect(throws: TokenizationError.invalidUTF8(offset: head.count)) {
      try tokenizer.encode(head + bytes + Array(" x".utf8))
    }
    #expect(throws: TokenizationError.invalidUTF8(offset: 0)) { try tokenizer.encode(bytes) }
  }

  private func load(_ text: String) throws -> Tokenizer {
    let none = try TokenizerConfiguration(
      configuration: nil,
      specialTokens: nil,
      addedTokens: nil
    )
    let root = try JSONNode.parse(Array(text.utf8), file: "tokenizer.json")
    return try Tokenizer(root: root, configuration: none)
  }

  private func model(_ vocabulary: String, _ merges: String, _ more: String = "") -> String {
    #"{"model":{"type":"BPE","vocab":{\#(vocabulary)},"merges":[\#(merges)]\#(more)}"#
  }

  @Test("a smallest model is read, so that the refusals below have their reason")
  func smallest() throws {
    let text = model(#""a":0,"b":1,"ab":2"#, #""a b""#) + "}"
    #expect(try load(text).encode(Array("aabx".utf8)) == [0, 2])
  }

  private func refuses(_ text: String, _ error: TokenizationError) {
    #expect(throws: error) { try load(text) }
  }

  private let file = "tokenizer.json"

  @Test("a vocabulary is refused for what is wrong with it")
  func vocabularies() {
    refuses("{}", .missing(path: "model", file: file))
    refuses(#"{"model":{}}"#, .missing(path: "model.vocab", file: file))
    refuses(#"{"model":{"vocab":{}}}"#, .missing(path: "model.merges", file: file))
    refuses(
      #"{"model":{"vocab":[],"merges":[]}}"#,
      .unexpectedValue(path: "model.vocab", file: file, expected: "an object")
    )
    refuses(
      #"{"model":{"type":"Unigram"}}"#,
      .unsupported(component: "model", name: "Unigram")
    )
    refuses(
      model(#""a":0.5"#, "") + "}",
      .unexpectedValue(path: "model.vocab.a", file: file, expected: "an integer")
    )
    refuses(model(#""a":-1"#, "") + "}", .idOutOfRange(id: -1, token: "a"))
    refuses(model(#""a":16777216"#, "") + "}", .idOutOfRange(id: 16_777_216, token: "a"))
    refuses(
      model(#""a":0,"b":0"#, "") + "}",
      .duplicateID(id: 0, first: "a", second: "b")
    )
  }

  @Test("merges and options are refused for what is wrong with them")
  func merges() {
    refuses(model(#""a":0"#, #""a""#) + "}", .malformedMerge(number: 1, file: file))
    refuses(model(#""a":0"#, #""a a a""#) + "}", .malformedMerge(number: 1, file: file))
    refuses(model(#""a":0"#, #"["a"]"#) + "}", .malformedMerge(number: 1, file: file))
    refuses(model(#""a":0"#, #"["a",""]"#) + "}", .malformedMerge(number: 1, file: file))
    refuses(model(#""a":0"#, #""a b""#) + "}", .unknownToken(token: "b", use: "merge 1"))
    refuses(model(#""a":0"#, #"["a","a"]"#) + "}", .unknownToken(token: "aa", use: "merge 1"))
    refuses(
      model(#""a":0"#, "", #","unk_token":"u""#) + "}",
      .unknownToken(token: "u", use: "tokenizer.json, \"model.unk_token\",")
    )
    refuses(
      model(#""a":0"#, "", #","dropout":0.1"#) + "}",
      .unsupported(component: "model", name: "BPE with dropout")
    )
  }

  @Test(
    "a component that is not known is refused by name",
    arguments: [
      (#""normalizer":{"type":"NFKC"}"#, "normalizer", "NFKC"),
      (
        #""normalizer":{"type":"Replace","pattern":{"Regex":"x"},"content":"y"}"#,
        "normalizer", "Replace by a regular expression"
      ),
      (#""pre_tokenizer":{"type":"Whitespace"}"#, "pre-tokenizer", "Whitespace"),
      (
        #""pre_tokenizer":{"type":"Split","behavior":"Isolated","pattern":{"Regex":"\\w+"}}"#,
        "pre-tokenizer", #"Split at \w+"#
      ),
      (
        #""pre_tokenizer":{"type":"Split","behavior":"Removed","pattern":{"Regex":"x"}}"#,
        "pre-tokenizer", "Split with behavior Removed"
      ),
      (#""post_processor":{"type":"BertProcessing"}"#, "post-processor", "BertProcessing"),
      (#""decoder":{"type":"WordPiece"}"#, "decoder", "WordPiece"),
    ]
  )
  func components(json: String, component: String, name: String) {
    #expect(throws: TokenizationError.unsupported(component: component, name: name)) {
      try load(model(#""a":0"#, "") + ",\(json)}")
    }
  }

  @Test("added tokens that contradict the vocabulary or each other are refused")
  func addedTokens() {
    func added(_ tokens: (String, Int)...) -> String {
      let flags = ["special", "normalized", "single_word", "lstrip", "rstrip"]
        .map { #""\#($0)":false"# }.joined(separator: ",")
      let list = tokens.map { #"{"content":"\#($0.0)","id":\#($0.1),\#(flags)}"# }
      return model(#""a":0,"b":1"#, "")
        + #","added_tokens":[\#(list.joined(separator: ","))]}"#
    }
    #expect(throws: TokenizationError.conflictingIDs(token: "a", first: 0, second: 1)) {
      try load(added(("a", 1)))
    }
    #expect(throws: TokenizationError.duplicateID(id: 1, first: "b", second: "c")) {
      try load(added(("c", 1)))
    }
    #expect(throws: TokenizationError.conflictingIDs(token: "c", first: 2, second: 3)) {
      try load(added(("c", 2), ("c", 3)))
    }
    #expect(throws: TokenizationError.emptyAddedToken(id: 2)) { try load(added(("", 2))) }
    #expect(throws: TokenizationError.idOutOfRange(id: 1 << 40, token: "c")) {
      try load(added(("c", 1 << 40)))
    }
  }

  @Test("a normalizer that makes text grow without bound is stopped")
  func growth() throws {
    let long = String(repeating: "y", count: 5000)
    let replace = #"{"type":"Replace","pattern":{"String":"x"},"content":"\#(long)"}"#
    let tokenizer = try load(model(#""a":0"#, "") + #","normalizer":\#(replace)}"#)
    #expect(throws: TokenizationError.self) { try tokenizer.encode(Array("xx".utf8)) }
  }

  @Test(
    "merges.txt with an odd line is refused with the line's number",
    arguments: [
      ("#version: 0.2\na b\n\nc d\n", 3), ("a b\nc\n", 2), ("a b c\n", 1), (" b\n", 1), ("a \n", 1),
    ]
  )
  func mergeLines(text: String, line: Int) {
    #expect(throws: TokenizationError.malformedMerge(number: line, file: "merges.txt")) {
      try ModelFiles.merges(lines: Array(text.utf8), file: "merges.txt")
    }
  }

  @Test("merges.txt may end in CR LF, and other line separators belong to tokens")
  func mergeSeparators() throws {
    let text = Array("#version: 0.2\r\na b\r\n\u{2028} \u{85}".utf8)
    let merges = try ModelFiles.merges(lines: text, file: "merges.txt")
    #expect(merges.map(\.left.string) == ["a", "\u{2028}"])
    #expect(merges.map(\.right.string) == ["b", "\u{85}"])
  }

  @Test("a directory without a tokenizer is refused")
  func nothingThere() throws {
    let directory = try Golden.directory("cases")
    #expect(throws: TokenizationError.noTokenizer(directory: directory.path)) {
      try Tokenizer.load(directory: directory)
    }
  }

  @Test("a damaged file is read or refused, but stops nothing", arguments: ["llama2", "llama3"])
  func damage(family: String) throws {
    let none = try TokenizerConfiguration(
      configuration: nil,
      specialTokens: nil,
      addedTokens: nil
    )
    let document = try Golden.document(family)
    let structure = Array(#"{}[]",:0123456789tfn-"#.utf8)
    var randomness = Randomness(seed: 9)
    var refused = 0
    for _ in 0..<300 {
      var damaged = document
      for _ in 0..<3 {
        // Most of what is not vocabulary stands in the first 4,000 bytes.
        let end = Bool.random(using: &randomness) ? 4000 : damaged.count
        let position = Int.random(in: 0..<end, using: &randomness)
        damaged[position] = structure.randomElement(using: &randomness) ?? 0
      }
      do {
        let root = try JSONNode.parse(damaged, file: "tokenizer.json")
        let tokenizer = try Tokenizer(root: root, configuration: none)
        _ = try tokenizer.encode(Array("a <|both|> text 12 é\n".utf8))
      } catch {
        #expect(!error.description.isEmpty)
        refused += 1
      }
    }
    #expect(refused > 0)
  }
}
