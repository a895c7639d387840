import LinearAlgebra

/// The keys and values of the tokens that a block has seen, rotated where the model rotates them.
struct KeyValueCache: Sendable {
  /// The most tokens that room is made for at first; beyond, the memory grows with the tokens.
  private static let mostTokensReserved = 4096

  let headSize: Int
  /// The number of keys, and of values, of one token: those of all heads, one after the other.
  private let width: Int
  /// Shape `[tokens, keyValueHeads · headSize]`.
  private var keys: [Float] = []
  /// Like `keys`.
  private var values: [Float] = []

  /// An empty cache of one block.
  ///
  /// - Parameters:
  ///   - shape: The sizes of the block.
  ///   - headSize: The width of one head.
  ///   - tokens: How many tokens it is going to hold.
  init(_ shape: BlockShape, headSize: Int, tokens: Int) {
    self.headSize = headSize
    width = shape.keyValueHeads * headSize
    let room = min(tokens, Self.mostTokensReserved) * width
    keys.reserveCapacity(room)
    values.reserveCapacity(room)
  }

  /// The number of tokens in the cache.
  var count: Int { keys.count / width }

  /// Adds tokens.
  ///
  /// - Parameters:
  ///   - newKeys: Shape `[tokens, keyValueHeads · headSize]`.
  ///   - newValues: Like the keys.
  mutating func append(keys newKeys: Matrix<Float>, values newValues: Matrix<Float>) {
    precondition(newKeys.columns == width && newValues.columns == width, "all heads of this block")
    precondition(newKeys.rows == newValues.rows, "a key for each value")
    keys += newKeys.storage
    values += newValues.storage
  }

  /// The keys of one head of the first `count` tokens; shape `[count, headSize]`.
  @_lifetime(borrow self)
  func keys(ofHead head: Int, count: Int) -> MatrixView<Float> {
    let start = head * headSize
    return MatrixView(
      keys.span.extracting(start..<keys.count),
      rows: count,
      columns: headSize,
      stride: width
    )
  }

  /// The values of one head of the first `count` tokens; shape `[count, headSize]`.
  @_lifetime(borrow self)
  func values(ofHead head: Int, count: Int) -> MatrixView<Float> {
    let start = head * headSize
    return MatrixView(
      values.span.extracting(start..<values.count),
      rows: count,
      columns: headSize,
      stride: width
    )
  }
}
