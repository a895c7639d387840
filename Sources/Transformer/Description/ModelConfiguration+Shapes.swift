import ExactJSON

extension ModelConfiguration {
  /// The sizes that weights have in common, and those of each block.
  struct Shapes {
    let hidden: Int
    let headSize: Int
    let blocks: [BlockShape]
  }

  /// The lists by which a pruned model states the sizes of each block, in place of the family's keys.
  enum BlockLists {
    static let innerSize = "layer_intermediate_size"
    static let heads = "layer_num_attention_heads"
    static let keyValueHeads = "layer_num_key_value_heads"
    static let all = [innerSize, heads, keyValueHeads]
  }

  /// One size of each block, and the name that messages give it.
  private struct BlockSizes {
    let key: String
    let isList: Bool
    let values: [Int]

    func name(_ block: Int) -> String { isList ? "\(key)[\(block)]" : key }
  }

  /// Reads the sizes: one for all blocks, or a list with one for each.
  static func shapes(
    _ reader: ConfigurationReader,
    _ family: DecoderFamily
  ) throws(ModelError) -> Shapes {
    let hidden = try reader.size("hidden_size")
    // OPT-350m embeds tokens in a smaller space and projects them.
    try reader.require(.init(key: "word_embed_proj_dim", value: JSONValue(hidden)))
    let count = try reader.size("num_hidden_layers", most: 1 << 12)
    let heads = try sizes(reader, BlockLists.heads, "num_attention_heads", count)
    let groups = try keyValueHeads(reader, family, heads)
    let inner = try sizes(reader, BlockLists.innerSize, family.keys.innerSize, count)
    return Shapes(
      hidden: hidden,
      headSize: try headSize(reader, family, hidden: hidden, heads: heads),
      blocks: (0..<count).map { block in
        BlockShape(
          heads: heads.values[block],
          keyValueHeads: groups.values[block],
          innerSize: inner.values[block]
        )
      }
    )
  }

  private static func sizes(
    _ reader: ConfigurationReader,
    _ list: String,
    _ key: String,
    _ count: Int
  ) throws(ModelError) -> BlockSizes {
    if let values = try reader.sizes(list, count: count) {
      return BlockSizes(key: list, isList: true, values: values)
    }
    let values = [Int](repeating: try reader.size(key), count: count)
    return BlockSizes(key: key, isList: false, values: values)
  }

  private static func keyValueHeads(
    _ reader: ConfigurationReader,
    _ family: DecoderFamily,
    _ heads: BlockSizes
  ) throws(ModelError) -> BlockSizes {
    let count = heads.values.count
    let groups: BlockSizes
    if let values = try reader.sizes(BlockLists.keyValueHeads, count: count) {
      groups = BlockSizes(key: BlockLists.keyValueHeads, isList: true, values: values)
    } else if let key = family.keys.keyValueHeads, reader.value(key) != nil {
      let values = [Int](repeating: try reader.size(key), count: count)
      groups = BlockSizes(key: key, isList: false, values: values)
    } else {
      return heads
    }
    for block in 0..<count where heads.values[block] % groups.values[block] != 0 {
      throw .invalidValue(
        key: groups.name(block),
        found: "\(groups.values[block])",
        expected: "a divisor of \(heads.name(block)), \(heads.values[block])"
      )
    }
    return groups
  }

  private static func headSize(
    _ reader: ConfigurationReader,
    _ family: DecoderFamily,
    hidden: Int,
    heads: BlockSizes
  ) throws(ModelError) -> Int {
    // Where heads are gone, their width no longer follows from their number.
    if heads.isList { return try reader.size("head_dim", most: 1 << 14) }
    if let key = family.keys.headSize, reader.value(key) != nil {
      return try reader.size(key, most: 1 << 14)
    }
    guard hidden % heads.values[0] == 0 else {
      throw .invalidValue(
        key: heads.key,
        found: "\(heads.values[0])",
        expected: "a divisor of hidden_size, \(hidden)"
      )
    }
    return hidden / heads.values[0]
  }
}
