import Depth
import Tensors
import Transformer

/// Merges blocks that go into the block before them.
struct DepthMerge {
  let model: DecoderModel
  let mask: DepthMask

  /// The weights of the blocks that take others in.
  ///
  /// - Throws: ``JobError/badSetting(_:)`` where blocks differ in size, or what reading weights throws.
  func run() throws -> DepthFold.Result {
    var result = DepthFold.Result()
    for block in mask.running {
      let gone = Array((block + 1..<mask.count).prefix { mask[$0].isEmpty })
      guard !gone.isEmpty else { continue }
      let shapes = model.decoder.blockShapes
      guard gone.allSatisfy({ shapes[$0] == shapes[block] }) else {
        throw JobError.badSetting("blocks of different sizes cannot be merged")
      }
      try merge(gone, into: block, &result.weights)
    }
    if mask.running.first != 0 {
      result.notes.append("blocks that are gone from the start have none before them to merge into")
    }
    return result
  }

  private func merge(_ gone: [Int], into block: Int, _ weights: inout MemoryTensors) throws {
    // What two blocks have in common gets the same name when each is the only one.
    let counterparts = gone.map { other in
      Dictionary(uniqueKeysWithValues: model.names(keepingBlocks: [other]).map { ($1, $0) })
    }
    for (name, common) in model.names(keepingBlocks: [block]).sorted(by: { $0.key < $1.key }) {
      let others = counterparts.compactMap { $0[common] }
      guard others.count == gone.count, others[0] != name else { continue }
      let values = try mergedWeights(
        model.source.floats(name),
        following: others.map { try model.source.floats($0) }
      )
      guard values.allSatisfy(\.isFinite) else { throw JobError.notFinite("the merged \(name)") }
      let shape = try model.source.existing(name).shape
      try weights.set(name, TensorDescription(elementType: .float32, shape: shape), floats: values)
    }
  }
}
