/// The tokens of a model and their ids, each at most once.
struct Vocabulary: Sendable {
  /// The largest id that is believed; real vocabularies stay far below.
  static let largestID = 1 << 24 - 1

  private var ids: [TokenBytes: Int32] = [:]
  private var tokens: [TokenBytes?] = []

  /// The largest id and one.
  var count: Int { tokens.count }

  /// The id of a token.
  subscript(token: TokenBytes) -> Int32? { ids[token] }

  /// The token of an id.
  subscript(id: Int32) -> TokenBytes? {
    tokens.indices.contains(Int(id)) ? tokens[Int(id)] : nil
  }

  /// All tokens with their ids, in the order of the ids.
  var entries: [(token: TokenBytes, id: Int32)] {
    tokens.enumerated().compactMap { id, token in token.map { ($0, Int32(id)) } }
  }

  /// Enters a token; entering it again with the same id changes nothing.
  mutating func add(_ token: TokenBytes, id: Int) throws(TokenizationError) {
    guard 0...Self.largestID ~= id else { throw .idOutOfRange(id: id, token: token.string) }
    if let known = ids[token] {
      guard known == id else {
        throw .conflictingIDs(token: token.string, first: Int(known), second: id)
      }
      return
    }
    if id >= tokens.count {
      tokens += [TokenBytes?](repeating: nil, count: id + 1 - tokens.count)
    }
    if let other = tokens[id] {
      throw .duplicateID(id: id, first: other.string, second: token.string)
    }
    tokens[id] = token
    ids[token] = Int32(id)
  }
}
