import LinearAlgebra
import Pruning
import Report
import Transformer

/// The memory of a pruning, counted from the shapes.
struct PruningFootprint {
  /// The bytes at the worst moment, mapped weights not counted.
  let memory: Double
  /// The bytes of the scratch files.
  let scratch: Double
  /// The layers that the worst moment works on; none where it is the measurement of the loss.
  let layers: [Int]

  /// Counts what a pruning holds.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - settings: What is removed, and how; a method that compares layers.
  ///   - threads: The threads that compute.
  ///   - isSequential: Whether the repair follows the pruned model on the windows.
  ///   - tokens: The tokens of all windows, for a repair that does.
  init(
    of model: DecoderModel,
    settings: PruningSettings,
    threads: Int = Parallelism.threads,
    sequential tokens: Int? = nil
  ) {
    let shapes = model.linears.map {
      SolverFootprint.Shape(outputs: $0.outputs, inputs: $0.inputs, hasBias: $0.hasBias)
    }
    let solver = SolverFootprint(shapes, settings: settings, threads: threads)
    let passes = PassFootprint(of: model)
    let states = tokens.map { passes.sequential(tokens: $0) } ?? 0
    let working = max(solver.working + states, passes.evaluation)
    memory = CalibrationFootprint.programBytes + working + solver.plan
    layers = solver.working + states >= passes.evaluation ? solver.layers : []
    let weights = shapes.reduce(0) { $0 + Double($1.outputs) * Double($1.inputs + 1) }
    scratch = solver.scratch + weights * Double(MemoryLayout<Float>.size)
  }

  /// Refuses a pruning that does not fit, before it begins.
  ///
  /// - Parameters:
  ///   - limit: The most bytes.
  ///   - names: The names of the layers.
  ///   - remedies: What would take less, and how much that would be.
  /// - Throws: ``JobError/badSetting(_:)`` with what is needed and what would fit.
  func check(
    limit: Int,
    names: [String],
    remedies: [(name: String, memory: Double)]
  ) throws(JobError) {
    guard memory > Double(limit) else { return }
    let needed = "\(wholeNumber((memory / 1e6).rounded(.up)))MB"
    let place =
      switch layers.count {
      case 0: "to measure the loss"
      case 1: "for \(names[layers[0]])"
      default: "for \(layers.count) layers at once, such as \(names[layers[0]])"
      }
    let fitting = remedies.filter { $0.memory <= Double(limit) }.map { remedy in
      "\(remedy.name) (\(Quantity.bytes(wholeNumber(remedy.memory))))"
    }
    throw .badSetting(
      "this pruning needs \(needed) of memory \(place), and may take \(Quantity.bytes(limit)); give "
        + (fitting + ["--memory \(needed) if this machine has it"]).joined(separator: ", or ")
    )
  }
}

/// The memory of passes through a model that keep no activations, counted from the shapes.
private struct PassFootprint {
  private static let numberBytes = Double(MemoryLayout<Float>.size)

  private let blocks: [BlockFootprint]
  private let hidden: Double
  private let table: Double

  init(of model: DecoderModel) {
    blocks = (0..<model.decoder.blocks).map { BlockFootprint(of: model, block: $0) }
    hidden = Double(model.decoder.hiddenSize)
    table = Double(model.decoder.vocabulary) * hidden
  }

  private var tape: Double {
    blocks.map { $0.tape(tokens: Double(DecoderBlock.tokensPerBatch)) }.max() ?? 0
  }

  /// The bytes of measuring a loss: a block or the head, a batch's activations, the hidden states.
  var evaluation: Double {
    let block = (blocks.map(\.weights).max() ?? 0) + tape
    let head = table + tape + Double(OutputHead.logitBytes) / Self.numberBytes
    let states = 2 * Double(DecoderModel.tokensAtOnce) * hidden
    return Self.numberBytes * (max(block, head) + states)
  }

  /// The bytes that a repair from block to block adds: two blocks, the hidden states of both models,
  /// a batch, and the moments of what a group of layers reads.
  func sequential(tokens: Int) -> Double {
    let weights = 3 * (blocks.map(\.weights).max() ?? 0)
    let order = blocks.flatMap(\.orders).max() ?? 0
    let states = 2 * Double(tokens) * hidden
    return Self.numberBytes * (weights + tape + states + 4 * order * order)
  }
}
