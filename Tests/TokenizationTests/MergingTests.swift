import Testing

@testable import Tokenization

@Suite("Merging of byte pairs")
struct MergingTests {
  /// A random model over the letters a to d whose merges make ever longer tokens.
  private func model(
    _ randomness: inout Randomness
  ) throws -> (model: BytePairModel, vocabulary: Vocabulary) {
    var tokens = ["a", "b", "c", "d"].map { TokenBytes($0) }
    var merges: [(left: TokenBytes, right: TokenBytes)] = []
    for _ in 0..<20 {
      let left = try #require(tokens.randomElement(using: &randomness))
      let right = try #require(tokens.randomElement(using: &randomness))
      merges.append((left, right))
      let whole = TokenBytes(utf8: left.utf8 + right.utf8)
      if !tokens.contains(whole) { tokens.append(whole) }
    }
    var vocabulary = Vocabulary()
    for (id, token) in tokens.enumerated() { try vocabulary.add(token, id: id) }
    let symbols = SymbolTable(
      unit: .scalar,
      hasByteFallback: false,
      unknown: nil,
      vocabulary: vocabulary
    )
    let table = try MergeTable(merges, vocabulary: vocabulary)
    return (
      BytePairModel(
        vocabulary: vocabulary,
        symbols: symbols,
        merges: table,
        ignoresMerges: false
      ),
      vocabulary
    )
  }

  /// The definition: again and again the merge of the lowest rank, of equal ones the leftmost.
  private func bruteForce(_ symbols: [Int32], _ merges: MergeTable) -> [Int32] {
    var symbols = symbols
    while true {
      let ranks = zip(symbols, symbols.dropFirst()).map { merges.rank($0, $1) }
      guard let best = ranks.min(), best != MergeTable.noRank,
        let position = ranks.firstIndex(of: best)
      else { return symbols }
      symbols.replaceSubrange(position...position + 1, with: [merges.result(ofRank: best)])
    }
  }

  @Test("heap and independent parts give what the definition gives", arguments: 1...40)
  func definition(seed: Int) throws {
    var randomness = Randomness(seed: UInt64(seed))
    let (model, vocabulary) = try model(&randomness)
    for length in 0..<40 {
      let text = (0..<length).map { _ in UInt8.random(in: 0x61...0x64, using: &randomness) }
      var run = EncodingRun()
      model.encode(text.span, into: &run)
      let symbols = text.compactMap { vocabulary[TokenBytes(utf8: [$0])] }
      #expect(run.tokens == bruteForce(symbols, model.merges))
    }
  }

  @Test("the queue gives merges by rank, then from left to right")
  func queueOrder() {
    var randomness = Randomness(seed: 3)
    var queue = MergeQueue()
    var expected: [[Int]] = []
    for _ in 0..<500 {
      let (rank, position) = (
        UInt32.random(in: 0..<9, using: &randomness), Int(randomness.next() >> 40)
      )
      queue.push(rank: rank, position: position)
      expected.append([Int(rank), position])
    }
    expected.sort { $0.lexicographicallyPrecedes($1) }
    var found: [[Int]] = []
    while let (rank, position) = queue.pop() { found.append([Int(rank), position]) }
    #expect(found == expected)
  }

  @Test("a repeated letter without a seam to cut at stays fast and exact")
  func longRun() throws {
    let tokenizer = try Golden.tokenizer("llama2")
    let text = [UInt8](repeating: UInt8(ascii: " "), count: 200_000)
    let ids = try tokenizer.encode(text, addSpecialTokens: false)
    #expect(try tokenizer.decode(ids) == text)
  }
}

@Suite("Cutting of text")
struct CuttingTests {
  @Test(
    "words follow each other and cover the text",
    arguments: [WordPattern.gpt2, .llama3, .qwen2]
  )
  func cover(pattern: WordPattern) {
    var randomness = Randomness(seed: 5)
    for length in 0..<80 {
      let text = randomness.text(scalars: length)
      var scanner = WordScanner(text.span, pattern: pattern)
      var end = 0
      while let word = scanner.next() {
        #expect(word.lowerBound == end && !word.isEmpty)
        end = word.upperBound
      }
      #expect(end == text.count)
    }
  }

  @Test("the parts around added tokens cover the text in order")
  func parts() throws {
    let token = AddedToken(
      content: TokenBytes("<x>"),
      id: 7,
      isSpecial: false,
      isNormalized: false,
      isSingleWord: false,
      stripsLeft: true,
      stripsRight: true
    )
    let finder = try AddedTokenFinder([(token.content.utf8, token)])
    let text = Array("a  <x> <x>b<x".utf8)
    #expect(
      finder.parts(of: text.span) == [.text(0..<1), .token(7), .token(7), .text(10..<13)]
    )
    #expect(finder.parts(of: [UInt8]().span).isEmpty)
  }

  @Test("bytes and their alphabet are inverse to each other")
  func alphabet() {
    let bytes = (0..<256).map { UInt8($0) }
    #expect(ByteAlphabet.bytes(spelledBy: ByteAlphabet.spelling(of: bytes)) == bytes)
    #expect(ByteAlphabet.spelling(of: [0x20, 0x0A, 0x41, 0xAD]).string == "ĠĊAŃ")
    #expect(ByteAlphabet.bytes(spelledBy: TokenBytes("中")) == nil)
  }
}
