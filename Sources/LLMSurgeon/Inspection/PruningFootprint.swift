import LinearAlgebra
import Pruning
import Report
import Transformer

/// The memory of a pruning.
struct PruningFootprint {
  /// The bytes at the worst moment, mapped weights not counted.
  let memory: Double
  /// The bytes of the scratch files.
  let scratch: Double
  /// The layers that the worst moment works on; none where it is the measurement of the loss.
  let layers: [Int]
}

extension PruningFootprint {
  /// Counts what a pruning holds from the shapes.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - settings: What is removed, and how; a method that compares layers.
  ///   - windows: The tokens of all windows that the loss is measured on, none without any, the length
  ///     of one, and whether the repair follows the pruned model on them.
  ///   - threads: The threads that compute.
  init(
    of model: DecoderModel,
    settings: PruningSettings,
    windows: (tokens: Int, length: Int, areRepairedFor: Bool),
    threads: Int = Parallelism.threads
  ) {
    let shapes = model.solverShapes
    let solver = SolverFootprint(
      shapes,
      settings: settings,
      hasCurvature: windows.tokens > 0,
      threads: threads
    )
    let passes = PassFootprint(of: model, length: windows.length)
    let states = windows.areRepairedFor ? passes.sequential(tokens: windows.tokens) : 0
    let evaluation = passes.evaluation(tokens: windows.tokens)
    memory =
      CalibrationFootprint.programBytes + max(solver.working + states, evaluation) + solver.plan
    layers = solver.working + states >= evaluation ? solver.layers : []
    let weights = shapes.reduce(0) { $0 + Double($1.outputs) * Double($1.inputs + 1) }
    let repaired = weights * Double(MemoryLayout<Float>.size)
    // While a choice is made, or when the result of a shot is written beside what it is made of.
    scratch = solver.journal + repaired + max(solver.scratch, repaired)
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

extension DecoderModel {
  /// The shapes of the linear layers, as the solver counts what it takes from them.
  var solverShapes: [SolverFootprint.Shape] {
    linears.map {
      SolverFootprint.Shape(outputs: $0.outputs, inputs: $0.inputs, hasBias: $0.hasBias)
    }
  }
}

/// The memory of passes through a model that keep no activations, counted from the shapes.
private struct PassFootprint {
  private static let numberBytes = Double(MemoryLayout<Float>.size)

  private let blocks: [BlockFootprint]
  private let hidden: Double
  private let table: Double
  private let length: Int

  init(of model: DecoderModel, length: Int) {
    self.length = length
    blocks = (0..<model.decoder.blocks).map { BlockFootprint(of: model, block: $0) }
    hidden = Double(model.decoder.hiddenSize)
    table = Double(model.decoder.vocabulary) * hidden
  }

  private func tape(tokens: Int) -> Double {
    let batch = Double(min(tokens, max(length, DecoderBlock.tokensPerBatch)))
    return blocks.map { $0.tape(tokens: batch) }.max() ?? 0
  }

  /// The bytes of measuring a loss: a block or the head, a batch's activations, the hidden states.
  func evaluation(tokens: Int) -> Double {
    guard tokens > 0 else { return 0 }
    let block = (blocks.map(\.weights).max() ?? 0) + tape(tokens: tokens)
    let head = table + tape(tokens: tokens) + Double(OutputHead.logitBytes) / Self.numberBytes
    let states = 2 * Double(min(tokens, max(length, DecoderModel.tokensAtOnce))) * hidden
    return Self.numberBytes * (max(block, head) + states)
  }

  /// The bytes that a repair from block to block adds: two blocks, the hidden states of both models,
  /// a batch, and the moments of what a group of layers reads.
  func sequential(tokens: Int) -> Double {
    let weights = 3 * (blocks.map(\.weights).max() ?? 0)
    let order = blocks.flatMap(\.orders).max() ?? 0
    let states = 2 * Double(tokens) * hidden
    return Self.numberBytes * (weights + tape(tokens: tokens) + states + 4 * order * order)
  }
}
