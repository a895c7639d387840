/// The merges of a byte-pair model: which neighbors become which token, and which go first.
struct MergeTable: Sendable {
  /// The rank of a pair that does not merge; later than all others.
  static let noRank = PairTable.absent

  private let ranks: PairTable
  private let results: [Int32]

  /// The last scalar of a left and the first of a right token that some merge joins.
  private let seams: PairTable

  /// Looks up the tokens of the merges.
  ///
  /// - Parameters:
  ///   - merges: Pairs of tokens, the first to merge first; of a pair that stands twice the later
  ///     place counts.
  ///   - vocabulary: Holds both tokens of each pair, and what they make together.
  /// - Throws: ``TokenizationError/unknownToken(token:use:)`` if it does not.
  init(
    _ merges: [(left: TokenBytes, right: TokenBytes)],
    vocabulary: Vocabulary
  ) throws(TokenizationError) {
    var ranks = PairTable(capacity: merges.count)
    var seams = PairTable(capacity: merges.count)
    var results: [Int32] = []
    for (rank, merge) in merges.enumerated() {
      let whole = TokenBytes(utf8: merge.left.utf8 + merge.right.utf8)
      let ids = [merge.left, merge.right, whole].map { vocabulary[$0] }
      guard let left = ids[0], let right = ids[1], let result = ids[2] else {
        let missing = ids[0] == nil ? merge.left : ids[1] == nil ? merge.right : whole
        throw .unknownToken(token: missing.string, use: "merge \(rank + 1)")
      }
      ranks[UInt32(left), UInt32(right)] = UInt32(rank)
      results.append(result)
      guard let last = merge.left.string.unicodeScalars.last,
        let first = merge.right.string.unicodeScalars.first
      else { continue }
      seams[last.value, first.value] = 0
    }
    self.ranks = ranks
    self.seams = seams
    self.results = results
  }

  /// The rank of the merge of two neighbors, or ``noRank``.
  @inline(__always)
  func rank(_ left: Int32, _ right: Int32) -> UInt32 {
    ranks[UInt32(bitPattern: left), UInt32(bitPattern: right)]
  }

  /// The tokens that merge, and what they make; the first to merge first.
  var merges: [(left: Int32, right: Int32, result: Int32)] {
    ranks.entries.sorted { $0.value < $1.value }
      .map { (Int32(bitPattern: $0.left), Int32(bitPattern: $0.right), result(ofRank: $0.value)) }
  }

  /// What the merge of a rank makes.
  func result(ofRank rank: UInt32) -> Int32 { results[Int(rank)] }

  /// Whether a merge can join a token that ends in one scalar to one that begins with another.
  ///
  /// Where none can, the text falls into two parts that merge independently.
  @inline(__always)
  func joins(_ last: UInt32, _ first: UInt32) -> Bool {
    seams[last, first] != PairTable.absent
  }
}
