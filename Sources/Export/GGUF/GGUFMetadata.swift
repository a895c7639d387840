internal import GGUF
internal import Tensors
internal import Transformer

/// The metadata of a GGUF file that describes the model itself.
struct GGUFMetadata {
  let decoder: DecoderDescription
  let plan: GGUFPlan
  let precision: ElementType

  /// All entries, in the order of the file.
  ///
  /// - Parameter name: What the model is called.
  /// - Returns: The entries.
  func entries(name: String) -> [GGUFEntry] {
    [
      GGUFEntry("general.architecture", .text(plan.architecture.name)),
      GGUFEntry("general.name", .text(name)),
      GGUFEntry("general.file_type", .uint32(fileType)),
    ] + sizes + attention + rotation
  }

  private func key(_ name: String) -> String { "\(plan.architecture.name).\(name)" }

  private func entry(_ name: String, _ number: Int) -> GGUFEntry {
    GGUFEntry(key(name), .uint32(UInt32(clamping: number)))
  }

  /// A size that differs between blocks, or one for all; zero where a block lacks the part.
  private func entry(
    _ name: String,
    lackedBy lacking: Set<Int> = [],
    _ size: (BlockShape) -> Int
  ) -> GGUFEntry {
    let sizes = plan.cut.shapes.enumerated().map { lacking.contains($0) ? 0 : size($1) }
    guard plan.architecture.hasBlockSizes else { return entry(name, sizes.first ?? 0) }
    return GGUFEntry(key(name), .array(GGUFArray(sizes.map { Int32(clamping: $0) })))
  }

  private var sizes: [GGUFEntry] {
    [
      entry("block_count", decoder.blocks),
      entry("context_length", decoder.positions),
      entry("embedding_length", decoder.hiddenSize),
      entry("feed_forward_length") { $0.innerSize },
      entry("vocab_size", decoder.vocabulary),
    ]
  }

  private var attention: [GGUFEntry] {
    [
      entry("attention.head_count", lackedBy: plan.attentionFree) { $0.heads },
      entry("attention.head_count_kv", lackedBy: plan.attentionFree) { $0.keyValueHeads },
      // Otherwise derived from the first block's heads, which may be fewer.
      entry("attention.key_length", decoder.headSize),
      entry("attention.value_length", decoder.headSize),
      GGUFEntry(
        key("attention.layer_norm_rms_epsilon"),
        .float32(Float(decoder.normEpsilon))
      ),
    ]
  }

  private var rotation: [GGUFEntry] {
    guard case .rotary(let base, let scaling) = decoder.position else { return [] }
    var entries = [
      entry("rope.dimension_count", decoder.headSize),
      GGUFEntry(key("rope.freq_base"), .float32(Float(base))),
    ]
    if case .linear(let factor) = scaling {
      entries.append(GGUFEntry(key("rope.scaling.type"), .text("linear")))
      entries.append(GGUFEntry(key("rope.scaling.factor"), .float32(Float(factor))))
    }
    return entries
  }

  /// The number that stands for the precision of most tensors.
  private var fileType: UInt32 {
    switch precision {
    case .float16: 1
    case .bfloat16: 32
    default: 0
    }
  }
}
