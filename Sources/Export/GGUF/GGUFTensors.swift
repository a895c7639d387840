internal import GGUF
internal import Tensors
internal import Transformer

/// The tensors of a GGUF file, made from those of a model.
struct GGUFTensors {
  let model: DecoderModel
  let plan: GGUFPlan
  /// How matrices are stored; vectors are always single precision.
  let precision: ElementType
  /// The weights after the cut.
  let source: any TensorSource

  /// All tensors, in the order of the file.
  func all() throws -> [GGUFWriter.Tensor] {
    var tensors = [try tensor("token_embd.weight", from: model.tokenEmbedding)]
    if let head = model.outputHead { tensors.append(try tensor("output.weight", from: head)) }
    tensors.append(try tensor("output_norm.weight", from: model.finalNorm))
    if let factors = rotaryFactors {
      let description = TensorDescription(elementType: .float32, shape: [factors.count])
      tensors.append(GGUFWriter.Tensor("rope_freqs.weight", description) { factors })
    }
    for block in 0..<model.decoder.blocks {
      let norms = model.norms(ofBlock: block)
      let hasAttention = !plan.attentionFree.contains(block)
      if hasAttention {
        tensors.append(try tensor("blk.\(block).attn_norm.weight", from: norms.attention))
      }
      tensors.append(try tensor("blk.\(block).ffn_norm.weight", from: norms.feedForward))
      for linear in model.linears(of: hasAttention ? .all : .feedForward, block: block) {
        tensors += try linearTensors(linear)
      }
    }
    return tensors
  }

  /// What the frequency of each pair of channels is divided by, where the model scales them
  /// unevenly; shape `[headSize / 2]`.
  private var rotaryFactors: [Float]? {
    guard case .rotary(let base, let scaling) = model.decoder.position, case .llama3 = scaling
    else {
      return nil
    }
    return scaling.divisors(base: base, headSize: model.decoder.headSize)
  }

  private func linearTensors(_ linear: LinearDescription) throws -> [GGUFWriter.Tensor] {
    let name = "blk.\(linear.block).\(linear.role.ggufName)"
    let isRotated = linear.role == .query || linear.role == .key
    let headSize = isRotated && plan.architecture.rotatesNeighbors ? model.decoder.headSize : nil
    let weight = try tensor("\(name).weight", from: linear.weight, interleaving: headSize)
    guard let bias = linear.bias else { return [weight] }
    return [weight, try tensor("\(name).bias", from: bias, interleaving: headSize)]
  }

  private func tensor(
    _ name: String,
    from stored: TensorName,
    interleaving headSize: Int? = nil
  ) throws -> GGUFWriter.Tensor {
    let shape = try source.existing(stored).shape
    let description = TensorDescription(
      elementType: shape.count == 1 ? .float32 : precision,
      shape: shape
    )
    return GGUFWriter.Tensor(TensorName(name), description) { [source] in
      let values = try source.floats(stored)
      guard let headSize else { return values }
      return interleaved(values, rows: shape[0], headSize: headSize)
    }
  }
}

/// Puts the rows of each head in the order that a rotation of neighbours needs: row
/// `a · headSize/2 + b` of a head, `a` 0 or 1, becomes row `2b + a`.
///
/// - Parameters:
///   - values: The elements, row by row.
///   - rows: The number of rows, a multiple of `headSize`.
///   - headSize: The rows of a head, an even number.
/// - Returns: The elements in the other order.
func interleaved(_ values: [Float], rows: Int, headSize: Int) -> [Float] {
  guard rows > 0 else { return values }
  let width = values.count / rows
  var result: [Float] = []
  result.reserveCapacity(values.count)
  for row in 0..<rows {
    let (head, place) = row.quotientAndRemainder(dividingBy: headSize)
    let (pair, half) = place.quotientAndRemainder(dividingBy: 2)
    let source = head * headSize + half * (headSize / 2) + pair
    result += values[source * width..<(source + 1) * width]
  }
  return result
}

extension LinearRole {
  /// What llama.cpp calls the layer.
  var ggufName: String {
    switch self {
    case .query: "attn_q"
    case .key: "attn_k"
    case .value: "attn_v"
    case .attentionOutput: "attn_output"
    case .gate: "ffn_gate"
    case .up: "ffn_up"
    case .down: "ffn_down"
    }
  }
}
