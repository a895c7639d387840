import ExactJSON
import GGUF
import Testing

@testable import Export

@Suite("The tokenizer of a GGUF file")
struct GGUFVocabularyTests {
  @Test("a byte-level tokenizer becomes tokens, types and merges, filled up to the embedding")
  func byteLevel() throws {
    let expected: [GGUFEntry] = [
      GGUFEntry("tokenizer.ggml.model", .text("gpt2")),
      GGUFEntry("tokenizer.ggml.pre", .text("gpt-2")),
      GGUFEntry(
        "tokenizer.ggml.tokens",
        .array(
          GGUFArray(
            texts: ["a", "b", "c", "ab", "abc", "<e>", "[PAD6]", "[PAD7]"].map { Array($0.utf8) }
          )
        )
      ),
      GGUFEntry("tokenizer.ggml.token_type", .array(GGUFArray([Int32(1), 1, 1, 1, 1, 3, 5, 5]))),
      GGUFEntry(
        "tokenizer.ggml.merges",
        .array(GGUFArray(texts: ["a b", "ab c"].map { Array($0.utf8) }))
      ),
      GGUFEntry("tokenizer.ggml.bos_token_id", .uint32(5)),
      GGUFEntry("tokenizer.ggml.eos_token_id", .uint32(5)),
      GGUFEntry("tokenizer.ggml.add_bos_token", .bool(false)),
      GGUFEntry("tokenizer.ggml.add_eos_token", .bool(false)),
    ]
    let vocabulary = try TokenizerSample.bytes.vocabulary()
    #expect(vocabulary.entries == expected)
    #expect(vocabulary.notes.isEmpty)
  }

  private static func split(_ numbers: String) -> JSONValue {
    let head = #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"#
    let tail = #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    return [
      "type": "Sequence",
      "pretokenizers": [
        [
          "type": "Split", "pattern": ["Regex": JSONValue(head + numbers + tail)],
          "behavior": "Isolated", "invert": false,
        ], ["type": "ByteLevel", "add_prefix_space": false, "use_regex": false],
      ],
    ]
  }

  @Test("llama.cpp's name for the pattern also says whether whole words are looked up")
  func patterns() throws {
    for (numbers, ignores, name) in [
      (#"\p{N}{1,3}"#, true, "llama-bpe"), (#"\p{N}{1,3}"#, false, "smaug-bpe"),
      (#"\p{N}"#, false, "qwen2"),
    ] {
      var sample = TokenizerSample.bytes
      sample.preTokenizer = Self.split(numbers)
      if ignores { sample.set("ignore_merges", true) }
      #expect(try sample.value("tokenizer.ggml.pre") == .text(name))
    }
    var sample = TokenizerSample.bytes
    sample.preTokenizer = Self.split(#"\p{N}"#)
    sample.set("ignore_merges", true)
    #expect(throws: GGUFExportError.self) { try sample.vocabulary() }
  }

  @Test("what llama.cpp cannot do with a text is refused, or told where it seldom matters")
  func limits() throws {
    var sample = TokenizerSample.bytes
    sample.preTokenizer = ["type": "ByteLevel", "add_prefix_space": true]
    #expect(throws: GGUFExportError.unsupportedTokenizer("a space put before the text")) {
      try sample.vocabulary()
    }
    sample = TokenizerSample.bytes
    sample.normalizer = ["type": "NFC"]
    sample.added.append(TokenizerSample.token("<l>", 6, special: false, stripsLeft: true))
    let vocabulary = try sample.vocabulary()
    #expect(vocabulary.notes.count == 2)
    #expect(vocabulary.notes[0].contains("NFC"))
    #expect(vocabulary.notes[1].contains("\"<l>\""))
    let types = try sample.value("tokenizer.ggml.token_type")
    #expect(types == .array(GGUFArray([Int32(1), 1, 1, 1, 1, 3, 4, 5])))
    sample = TokenizerSample.bytes
    sample.rows = 5
    #expect(throws: GGUFExportError.vocabularyTooLarge(tokens: 6, rows: 5)) {
      try sample.vocabulary()
    }
    sample = TokenizerSample.bytes
    sample.added.append(TokenizerSample.token("[PAD7]", 6, special: false))
    #expect(throws: GGUFExportError.self) { try sample.vocabulary() }
  }

  @Test("the end of text must be known; config.json is asked last")
  func specialTokens() throws {
    var sample = TokenizerSample.bytes
    sample.configuration = [:]
    #expect(throws: GGUFExportError.noEndOfText) { try sample.vocabulary() }
    sample.ids = ["eos_token_id": [3, 4], "bos_token_id": 2, "pad_token_id": 99]
    #expect(try sample.value("tokenizer.ggml.eos_token_id") == .uint32(3))
    #expect(try sample.value("tokenizer.ggml.bos_token_id") == .uint32(2))
    #expect(try sample.value("tokenizer.ggml.padding_token_id") == nil)
    sample.configuration = ["eos_token": "<e>", "pad_token": "a", "unk_token": "b"]
    #expect(try sample.value("tokenizer.ggml.eos_token_id") == .uint32(5))
    #expect(try sample.value("tokenizer.ggml.padding_token_id") == .uint32(0))
    #expect(try sample.value("tokenizer.ggml.unknown_token_id") == .uint32(1))
  }

  @Test("the token that is put before a text is the one that llama.cpp will put there")
  func addedTokens() throws {
    func template(_ names: [String]) -> JSONValue {
      var pieces: [JSONValue] = names.map { ["SpecialToken": ["id": JSONValue($0)]] }
      pieces.append(["Sequence": ["id": "A"]])
      return [
        "type": "TemplateProcessing", "single": .array(pieces),
        "special_tokens": ["<e>": ["id": "<e>", "ids": [5]], "a": ["id": "a", "ids": [0]]],
      ]
    }
    var sample = TokenizerSample.bytes
    sample.configuration = ["eos_token": "<e>", "bos_token": "b"]
    sample.postProcessor = template(["a"])
    #expect(try sample.value("tokenizer.ggml.add_bos_token") == .bool(true))
    #expect(try sample.value("tokenizer.ggml.bos_token_id") == .uint32(0))
    sample.postProcessor = template(["a", "<e>"])
    #expect(throws: GGUFExportError.self) { try sample.vocabulary() }
  }

  @Test("a chat template comes from its own file, or from tokenizer_config.json")
  func chatTemplate() throws {
    let key = "tokenizer.chat_template"
    var sample = TokenizerSample.bytes
    #expect(try sample.value(key) == nil)
    sample.configuration = ["eos_token": "<e>", "chat_template": "{{ one }}"]
    #expect(try sample.value(key) == .text("{{ one }}"))
    sample.configuration = [
      "eos_token": "<e>",
      "chat_template": [
        ["name": "tools", "template": "{{ tools }}"], ["name": "default", "template": "{{ two }}"],
      ],
    ]
    #expect(try sample.value(key) == .text("{{ two }}"))
    sample.template = "{{ file }}"
    #expect(try sample.value(key) == .text("{{ file }}"))
  }

  @Test("the scores of a SentencePiece model are 259 − id, bytes and marks have types of their own")
  func scores() throws {
    let sample = TokenizerSample.pieces()
    #expect(try sample.value("tokenizer.ggml.model") == .text("llama"))
    #expect(try sample.value("tokenizer.ggml.pre") == .text("default"))
    let expected = (0..<sample.rows).map { $0 < 259 ? Float(0) : Float(259 - $0) }
    #expect(try sample.value("tokenizer.ggml.scores") == .array(GGUFArray(expected)))
    let types = [Int32(2), 3, 3] + [Int32](repeating: 6, count: 256) + [1, 1, 1, 1, 1, 1]
    #expect(try sample.value("tokenizer.ggml.token_type") == .array(GGUFArray(types)))
    #expect(try sample.value("tokenizer.ggml.add_space_prefix") == .bool(true))
    #expect(try sample.value("tokenizer.ggml.merges") == nil)
    #expect(try sample.value("tokenizer.ggml.unknown_token_id") == .uint32(0))
  }

  @Test("merges that scores cannot express are refused")
  func unfaithfulScores() throws {
    // "▁ab" could also be made of "▁a" and "b", which is no merge here.
    let incomplete = TokenizerSample.pieces(
      merges: [["\u{2581}", "a"], ["a", "b"], ["\u{2581}", "ab"]]
    )
    #expect(throws: GGUFExportError.self) { try incomplete.vocabulary() }
    let scattered = TokenizerSample.pieces(
      merges: [["\u{2581}", "ab"], ["a", "b"], ["\u{2581}a", "b"], ["\u{2581}", "a"]]
    )
    #expect(
      throws: GGUFExportError.unsupportedTokenizer("the merges of a token do not stand together")
    ) { try scattered.vocabulary() }
    // "é" is no token, but a symbol that llama.cpp would join.
    let unreachable = TokenizerSample.pieces(["aé"], merges: [])
    #expect(throws: GGUFExportError.self) { try unreachable.vocabulary() }
  }

  @Test("where the separator goes decides on the space before a text")
  func prefixes() throws {
    var sample = TokenizerSample.pieces()
    sample.normalizer = .null
    func metaspace(_ scheme: String, split: Bool) -> JSONValue {
      [
        "type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": JSONValue(scheme),
        "split": .bool(split),
      ]
    }
    for (scheme, isAdded, notes) in [("first", true, 1), ("always", true, 1), ("never", false, 0)] {
      for split in [true, false] {
        sample.preTokenizer = metaspace(scheme, split: split)
        #expect(try sample.value("tokenizer.ggml.add_space_prefix") == .bool(isAdded))
        #expect(try sample.vocabulary().notes.count == notes)
      }
    }
    var crossing = TokenizerSample.pieces(
      ["a\u{2581}"],
      merges: [["a", "\u{2581}"]]
    )
    _ = try crossing.vocabulary()
    crossing.normalizer = .null
    crossing.preTokenizer = metaspace("never", split: true)
    #expect(throws: GGUFExportError.self) { try crossing.vocabulary() }
    var withoutBytes = TokenizerSample.pieces()
    withoutBytes.set("byte_fallback", false)
    #expect(throws: GGUFExportError.self) { try withoutBytes.vocabulary() }
  }
}
