import Checkpoint
import ExactJSON
import Foundation
import GGUF
import Tensors
import TestKit
import Testing
import Tokenization

@testable import Export

/// A tokenizer in a model directory, and what becomes of it.
private struct Sample {
  var model: JSONValue
  var preTokenizer: JSONValue = ["type": "ByteLevel", "add_prefix_space": false]
  var normalizer: JSONValue = .null
  var added: [JSONValue] = []
  var postProcessor: JSONValue = .null
  var configuration: JSONValue = ["eos_token": "<e>"]
  var ids: JSONValue = [:]
  var template: String?
  var rows: Int

  /// The byte-level model of tokens "a" to "c", "ab", "abc" and the special "<e>".
  static var bytes: Sample {
    Sample(
      model: [
        "type": "BPE", "vocab": ["a": 0, "b": 1, "c": 2, "ab": 3, "abc": 4],
        "merges": [["a", "b"], ["ab", "c"]],
      ],
      added: [token("<e>", 5, special: true)],
      rows: 8
    )
  }

  /// A SentencePiece model with the layout of Llama: 3 special tokens, 256 bytes, pieces, letters.
  static func pieces(
    _ pieces: [String] = ["\u{2581}a", "ab", "\u{2581}ab"],
    merges: [[String]] = [
      ["\u{2581}", "a"], ["a", "b"], ["\u{2581}", "ab"], ["\u{2581}a", "b"],
    ]
  ) -> Sample {
    var tokens = ["<unk>", "<s>", "<e>"]
    tokens += (0..<256).map { "<0x" + String(format: "%02X", $0) + ">" }
    tokens += pieces + ["\u{2581}", "a", "b"]
    var vocabulary = JSONObject()
    for (id, token) in tokens.enumerated() { vocabulary[JSONText(token)] = JSONValue(id) }
    return Sample(
      model: [
        "type": "BPE", "vocab": .object(vocabulary), "byte_fallback": true, "fuse_unk": true,
        "unk_token": "<unk>",
        "merges": .array(merges.map { .array($0.map { JSONValue($0) }) }),
      ],
      preTokenizer: .null,
      normalizer: [
        "type": "Sequence",
        "normalizers": [
          ["type": "Prepend", "prepend": "\u{2581}"],
          ["type": "Replace", "pattern": ["String": " "], "content": "\u{2581}"],
        ],
      ],
      added: ["<unk>", "<s>", "<e>"].enumerated().map { token($1, $0, special: true) },
      rows: tokens.count
    )
  }

  static func token(
    _ content: String,
    _ id: Int,
    special: Bool,
    stripsLeft: Bool = false
  ) -> JSONValue {
    [
      "id": JSONValue(id), "content": JSONValue(content), "special": .bool(special),
      "normalized": false, "single_word": false, "lstrip": .bool(stripsLeft), "rstrip": false,
    ]
  }

  func vocabulary() throws -> GGUFVocabulary {
    let scratch = try ScratchDirectory()
    let tokenizer: JSONValue = [
      "model": model, "pre_tokenizer": preTokenizer, "normalizer": normalizer,
      "added_tokens": .array(added), "post_processor": postProcessor, "decoder": .null,
    ]
    try scratch.write("tokenizer.json", JSONWriter.write(tokenizer))
    try scratch.write("tokenizer_config.json", JSONWriter.write(configuration))
    try scratch.write("config.json", JSONWriter.write(ids))
    if let template { try scratch.write("chat_template.jinja", template) }
    let empty: [UInt8] = [2, 0, 0, 0, 0, 0, 0, 0] + Array("{}".utf8)
    try scratch.write("model.safetensors", empty)
    return try GGUFVocabulary(
      try Tokenizer.load(directory: URL(filePath: scratch.path)),
      of: try ModelDirectory(scratch.path),
      rows: rows
    )
  }

  func value(_ key: String) throws -> GGUFValue? {
    try vocabulary().entries.first { $0.key == key }?.value
  }
}

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
    let vocabulary = try Sample.bytes.vocabulary()
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
      var sample = Sample.bytes
      sample.preTokenizer = Self.split(numbers)
      if ignores { sample.set("ignore_merges", true) }
      #expect(try sample.value("tokenizer.ggml.pre") == .text(name))
    }
    var sample = Sample.bytes
    sample.preTokenizer = Self.split(#"\p{N}"#)
    sample.set("ignore_merges", true)
    #expect(throws: GGUFExportError.self) { try sample.vocabulary() }
  }

  @Test("what llama.cpp cannot do with a text is refused, or told where it seldom matters")
  func limits() throws {
    var sample = Sample.bytes
    sample.preTokenizer = ["type": "ByteLevel", "add_prefix_space": true]
    #expect(throws: GGUFExportError.unsupportedTokenizer("a space put before the text")) {
      try sample.vocabulary()
    }
    sample = Sample.bytes
    sample.normalizer = ["type": "NFC"]
    sample.added.append(Sample.token("<l>", 6, special: false, stripsLeft: true))
    let vocabulary = try sample.vocabulary()
    #expect(vocabulary.notes.count == 2)
    #expect(vocabulary.notes[0].contains("NFC"))
    #expect(vocabulary.notes[1].contains("\"<l>\""))
    let types = try sample.value("tokenizer.ggml.token_type")
    #expect(types == .array(GGUFArray([Int32(1), 1, 1, 1, 1, 3, 4, 5])))
    sample = Sample.bytes
    sample.rows = 5
    #expect(throws: GGUFExportError.vocabularyTooLarge(tokens: 6, rows: 5)) {
      try sample.vocabulary()
    }
    sample = Sample.bytes
    sample.added.append(Sample.token("[PAD7]", 6, special: false))
    #expect(throws: GGUFExportError.self) { try sample.vocabulary() }
  }

  @Test("the end of text must be known; config.json is asked last")
  func specialTokens() throws {
    var sample = Sample.bytes
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
    var sample = Sample.bytes
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
    var sample = Sample.bytes
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
    let sample = Sample.pieces()
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
    let incomplete = Sample.pieces(
      merges: [["\u{2581}", "a"], ["a", "b"], ["\u{2581}", "ab"]]
    )
    #expect(throws: GGUFExportError.self) { try incomplete.vocabulary() }
    let scattered = Sample.pieces(
      merges: [["\u{2581}", "ab"], ["a", "b"], ["\u{2581}a", "b"], ["\u{2581}", "a"]]
    )
    #expect(
      throws: GGUFExportError.unsupportedTokenizer("the merges of a token do not stand together")
    ) { try scattered.vocabulary() }
    // "é" is no token, but a symbol that llama.cpp would join.
    let unreachable = Sample.pieces(["aé"], merges: [])
    #expect(throws: GGUFExportError.self) { try unreachable.vocabulary() }
  }

  @Test("where the separator goes decides on the space before a text")
  func prefixes() throws {
    var sample = Sample.pieces()
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
    var crossing = Sample.pieces(
      ["a\u{2581}"],
      merges: [["a", "\u{2581}"]]
    )
    _ = try crossing.vocabulary()
    crossing.normalizer = .null
    crossing.preTokenizer = metaspace("never", split: true)
    #expect(throws: GGUFExportError.self) { try crossing.vocabulary() }
    var withoutBytes = Sample.pieces()
    withoutBytes.set("byte_fallback", false)
    #expect(throws: GGUFExportError.self) { try withoutBytes.vocabulary() }
  }
}

extension Sample {
  /// Changes a key of the model.
  fileprivate mutating func set(_ key: JSONText, _ value: JSONValue) {
    var object = model.object ?? JSONObject()
    object[key] = value
    model = .object(object)
  }
}
