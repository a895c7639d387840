import Checkpoint
import ExactJSON
import Foundation
import GGUF
import TestKit
import Tokenization

@testable import Export

/// A tokenizer in a model directory, and what becomes of it.
struct TokenizerSample {
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
  static var bytes: TokenizerSample {
    TokenizerSample(
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
  ) -> TokenizerSample {
    var tokens = ["<unk>", "<s>", "<e>"]
    tokens += (0..<256).map { "<0x" + String(format: "%02X", $0) + ">" }
    tokens += pieces + ["\u{2581}", "a", "b"]
    var vocabulary = JSONObject()
    for (id, token) in tokens.enumerated() { vocabulary[JSONText(token)] = JSONValue(id) }
    return TokenizerSample(
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

extension TokenizerSample {
  /// Changes a key of the model.
  mutating func set(_ key: JSONText, _ value: JSONValue) {
    var object = model.object ?? JSONObject()
    object[key] = value
    model = .object(object)
  }
}
