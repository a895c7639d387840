internal import Tokenization

/// The scores by which llama.cpp merges the pieces of a SentencePiece model.
///
/// llama.cpp joins any two neighbours that together are a token, the highest score first; it does not
/// know merges. That gives the same tokens if every way to split a token into two tokens is a merge,
/// and the merges of one token stand together. A token's score is then the negated place of its
/// merges, as in the model that the merges were made from: `259 − id` for the pieces of Llama, which
/// stand behind 3 special tokens and 256 bytes.
struct GGUFScores {
  private var scores: [Int32: Float] = [:]

  /// Finds the scores.
  ///
  /// - Parameters:
  ///   - structure: The tokenizer.
  ///   - separator: What stands for a space.
  ///   - isCut: Whether text is cut before each separator, which llama.cpp does not do.
  /// - Throws: ``GGUFExportError/unsupportedTokenizer(_:)`` if scores cannot express the merges.
  init(
    _ structure: TokenizerStructure,
    separator: [UInt8],
    isCut: Bool
  ) throws(GGUFExportError) {
    var place = 0
    var last: Int32?
    for merge in structure.merges where merge.result != last {
      guard scores.updateValue(Float(-place), forKey: merge.result) == nil else {
        throw .unsupportedTokenizer("the merges of a token do not stand together")
      }
      place += 1
      last = merge.result
    }
    let ordinary = structure.tokens.filter { $0.kind == .ordinary }
    try Self.checkSplits(ordinary, structure.merges)
    if isCut { try Self.checkCuts(ordinary, separator) }
    for token in ordinary where scores[token.id] == nil {
      scores[token.id] = Float(-place)
      place += 1
    }
  }

  /// The score of each id; 0 for special tokens, bytes, and ids without a token.
  func values(rows: Int) -> [Float] { (0..<rows).map { scores[Int32($0)] ?? 0 } }

  private struct Pair: Hashable {
    let left: Int32
    let right: Int32
  }

  /// Refuses tokens that llama.cpp would join where the tokenizer does not.
  private static func checkSplits(
    _ tokens: [TokenizerStructure.Token],
    _ merges: [TokenizerStructure.Merge]
  ) throws(GGUFExportError) {
    let ids = Dictionary(uniqueKeysWithValues: tokens.map { ($0.text.utf8[...], $0.id) })
    let pairs = Set(merges.map { Pair(left: $0.left, right: $0.right) })
    for token in tokens {
      let text = token.text.utf8
      for cut in text.indices.dropFirst() where text[cut] & 0xC0 != 0x80 {
        let (left, right) = (text[..<cut], text[cut...])
        let isSplit =
          (ids[left] != nil || isScalar(left)) && (ids[right] != nil || isScalar(right))
        guard isSplit else { continue }
        guard let left = ids[left], let right = ids[right],
          pairs.contains(Pair(left: left, right: right))
        else {
          throw .unsupportedTokenizer(
            "the token \"\(token.text.string)\" has parts that are tokens but no merge"
          )
        }
      }
    }
  }

  /// Whether the bytes are one Unicode scalar: it is a symbol even where it is no token.
  private static func isScalar(_ text: ArraySlice<UInt8>) -> Bool {
    text.dropFirst().allSatisfy { $0 & 0xC0 == 0x80 }
  }

  private static func checkCuts(
    _ tokens: [TokenizerStructure.Token],
    _ separator: [UInt8]
  ) throws(GGUFExportError) {
    for token in tokens {
      let text = token.text.utf8
      let holds = text.indices.dropFirst().contains { text[$0...].starts(with: separator) }
      guard !holds else {
        throw .unsupportedTokenizer(
          "the token \"\(token.text.string)\" reaches across a place where text is cut"
        )
      }
    }
  }
}
