import LinearAlgebra
import Report
import Transformer

/// The memory of a calibration, counted from the shapes.
struct CalibrationFootprint {
  /// The bytes of the program itself, its libraries and their buffers.
  static let programBytes = 30e6
  private static let numberBytes = Double(MemoryLayout<Float>.size)

  /// The bytes while one block, the head or the embedding is worked on, whatever the number of blocks
  /// and windows: weights, activations of a batch, factors.
  let working: Double
  /// The bytes of the inputs of all blocks, and of the gradient.
  let kept: Double

  /// Counts what a calibration holds.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - samples: The number of windows.
  ///   - length: The tokens of each.
  ///   - precision: How inputs and gradients are kept.
  init(of model: DecoderModel, samples: Int, length: Int, precision: ScratchPrecision) {
    let decoder = model.decoder
    let (vocabulary, hidden) = (Double(decoder.vocabulary), Double(decoder.hiddenSize))
    let sequences = min(samples, DecoderBlock.sequencesPerBatch(length: length))
    let batch = Double(sequences) * Double(length)
    let blocks = (0..<decoder.blocks).map { BlockFootprint(of: model, block: $0) }
    let largest = blocks.map { $0.numbers(tokens: batch) }.max() ?? 0
    let tape = blocks.map { $0.tape(tokens: batch) }.max() ?? 0
    // Weights are there in bfloat16 too, and so is what a product multiplies them by.
    let halves = model.products == .bfloat16 ? 0.5 : 0
    let table = (1 + halves) * vocabulary * hidden
    // The logits of a slice and their gradient's way back, beside what the blocks left.
    let logits = Double(OutputHead.logitBytes) / Self.numberBytes
    let positions = min(batch, max(1, logits / vocabulary))
    // The head's gradient is summed over parts of the vocabulary; see `multiplySplit`.
    let parts = min(Double(largestSplit), (vocabulary / max(positions, hidden)).rounded(.down))
    let head =
      tape + table + (1 + halves) * logits + (parts > 1 ? parts * positions * hidden : 0)
    // The state and its gradient, once as they are kept and once while they are worked on.
    let states = 2 * batch * hidden
    let rounded = halves * (blocks.map { $0.weights + batch * $0.widest }.max() ?? 0)
    working =
      Self.programBytes + Self.numberBytes * (max(largest + rounded, head, table) + states)
    let tokens = Double(samples) * Double(length)
    kept = Double(decoder.blocks + 1) * tokens * hidden * Double(precision.byteCount)
  }

  /// The bytes of a calibration that keeps everything in memory.
  var inMemory: Double { working + kept }

  /// Whether inputs and gradients go to a file.
  ///
  /// - Parameter limit: The most bytes.
  /// - Returns: True if not all fits in memory.
  /// - Throws: ``JobError/badSetting(_:)`` if one block alone takes more.
  func needsScratch(limit: Int) throws(JobError) -> Bool {
    guard working <= Double(limit) else {
      let needed = "\(wholeNumber((working / 1e6).rounded(.up)))MB"
      throw .badSetting(
        "a calibration needs \(needed) of memory for one block, even with all else on the disk, and "
          + "may take \(Quantity.bytes(limit)); give a shorter --length, or --memory \(needed) if this "
          + "machine has it"
      )
    }
    return inMemory > Double(limit)
  }
}

/// A number of bytes; the largest there is for what no disk and no memory has.
func wholeNumber(_ bytes: Double) -> Int { bytes < 0x1p63 ? Int(bytes) : .max }

/// What one block adds to a calibration, counted in numbers.
struct BlockFootprint {
  /// The weights of the linear layers.
  let weights: Double
  /// The orders of the factors of all layers; an `A` that layers share counts once.
  let orders: [Double]
  /// The width of all query heads.
  let heads: Double
  private let keyValues: Double
  private let hidden: Double
  private let inner: Double
  private let isGated: Bool

  init(of model: DecoderModel, block: Int) {
    let decoder = model.decoder
    let shape = decoder.blockShapes[block]
    let linears = model.linears.filter { $0.block == block }
    let groups = model.inputGroups.filter { $0.block == block }
    weights = linears.reduce(0) { $0 + Double($1.outputs) * Double($1.inputs) }
    orders =
      groups.map { Double($0.inputs + ($0.hasBias ? 1 : 0)) } + linears.map { Double($0.outputs) }
    heads = Double(shape.heads * decoder.headSize)
    keyValues = Double(shape.keyValueHeads * decoder.headSize)
    hidden = Double(decoder.hiddenSize)
    inner = Double(shape.innerSize)
    isGated = decoder.isGated
  }

  /// The most numbers that a layer reads or makes of a token.
  var widest: Double { max(hidden, heads, inner) }

  /// The sum of all orders squared.
  var squares: Double { orders.reduce(0) { $0 + $1 * $1 } }

  /// The numbers of the factors' triangles.
  var packedNumbers: Double { orders.reduce(0) { $0 + $1 * ($1 + 1) / 2 } }

  /// What the forward pass of a batch leaves for the backward pass.
  func tape(tokens: Double) -> Double {
    tokens * (4 * hidden + 4 * heads + 3 * keyValues + (isGated ? 3 : 2) * inner)
  }

  /// What is in memory while the block is worked on, `tokens` at a time.
  func numbers(tokens: Double) -> Double {
    let slopes = tokens * (4 * hidden + 3 * heads + 4 * keyValues + (isGated ? 2 : 1) * inner)
    // The largest triangle, as numbers and as the bytes of the file.
    let largest = orders.max() ?? 0
    return weights + squares + largest * (largest + 1) + tape(tokens: tokens) + slopes
  }
}
