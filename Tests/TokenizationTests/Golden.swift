import ExactJSON
import Foundation
import Testing

@testable import Tokenization

/// The tokenizers and ids that `make_golden.py` made.
enum Golden {
  static let families = [
    "gpt2", "llama3", "qwen2", "prefixed", "opt", "llama2", "metaspace-first",
    "metaspace-always", "unknown", "unknown-fused",
  ]
  /// Those that lose nothing: each byte has a token and the text is not changed before.
  static let lossless = ["gpt2", "llama3", "opt"]

  static func directory(_ name: String) throws -> URL {
    let resources = try #require(Bundle.module.resourceURL)
    return resources.appendingPathComponent("Golden").appendingPathComponent(name)
  }

  static func tokenizer(_ family: String) throws -> Tokenizer {
    try Tokenizer.load(directory: directory(family))
  }

  static func document(_ family: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: directory(family).appendingPathComponent("tokenizer.json")))
  }

  /// A column of a file of cases.
  static func column(_ key: String, of name: String) throws -> [JSONValue] {
    let file = try directory("cases").appendingPathComponent("\(name).json")
    let cases = try JSONParser.parse([UInt8](try Data(contentsOf: file)))
    return try #require(cases[JSONText(key)]?.array)
  }

  static func texts() throws -> [[UInt8]] {
    try column("texts", of: "texts").map { try #require($0.text).utf8 }
  }

  /// A column of ids; nil where the reference gives none.
  static func ids(_ key: String, of name: String) throws -> [[Int32]?] {
    try column(key, of: name).map { value in
      value.isNull ? nil : try #require(value.array).map { Int32(try #require($0.integer)) }
    }
  }
}

/// A small generator of equal numbers in every run: splitmix64.
struct Randomness: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// Text of scalars from all planes, much of it ASCII and white space.
  mutating func text(scalars count: Int) -> [UInt8] {
    var text = String.UnicodeScalarView()
    while text.count < count {
      let limit: UInt32 = [0x80, 0x80, 0x300, 0x3000, 0x11_0000].randomElement(using: &self) ?? 1
      let value = UInt32.random(in: 0..<limit, using: &self)
      if let scalar = Unicode.Scalar(value) { text.append(scalar) }
      if Bool.random(using: &self) { text.append(" ") }
    }
    return Array(String(text).utf8)
  }
}
