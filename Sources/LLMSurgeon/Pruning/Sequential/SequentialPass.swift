import Checkpoint
import Curvature
import LinearAlgebra
import Pruning
import Tensors
import Transformer

/// Prunes a model block by block with a method that looks at one layer's output at a time.
///
/// All layers of a block are measured with the block's own weights as they came, on what the pruned
/// blocks below hand on, as Wanda, SparseGPT and ALPS were published. Two versions of one block's
/// weights and the hidden states of all windows are in memory.
struct SequentialPass {
  /// The model as it came.
  let opened: OpenedModel
  /// The windows whose activations count.
  let windows: TokenWindows
  /// The method and what to remove.
  let settings: PruningSettings
  /// The layers that an earlier process has pruned.
  let journal: any RunJournal

  /// Prunes every layer.
  ///
  /// - Parameters:
  ///   - layers: The layers with their weights.
  ///   - progress: Hears of each layer.
  ///   - receive: Takes the place and the outcome of each layer, in the model's order.
  /// - Throws: What reading the model, computing, the method, and `receive` throw.
  func prune(
    _ layers: ModelLayers,
    progress: any ProgressListener,
    receive: (Int, LayerOutcome) throws -> Void
  ) throws {
    let model = opened.model
    let sequences = try TokenSequences(tokens: windows.tokens, length: windows.length)
    let shares = try shares(sequences, layers, progress: progress)
    var hidden = try model.embed(sequences)
    var workspace = BlockWorkspace()
    var done = 0
    progress.begin("pruning", total: model.linears.count, unit: "layers")
    defer { progress.end() }
    for block in 0..<model.decoder.blocks {
      var moments: [String: Matrix<Float>]?
      var pruned = MemoryTensors()
      for (index, linear) in model.linears.enumerated() where linear.block == block {
        let name = RecordName(.outcome, layer: index)
        let outcome = try journal.result(name, of: layers.layers[index]) {
          let inputs =
            try moments
            ?? model.loadBlock(block).inputMoments(hidden, length: windows.length, in: &workspace)
          moments = inputs
          return try layers.problem(at: index).prunedLayerwise(
            activations: try inputs.moment(of: linear),
            share: shares[block],
            settings: settings
          )
        }
        try pruned.set(linear, outcome.weights)
        try receive(index, outcome)
        done += 1
        progress.advance(to: done)
      }
      guard block + 1 < model.decoder.blocks else { continue }
      try opened.loadBlock(block, with: pruned).forward(
        &hidden,
        length: windows.length,
        in: &workspace
      )
    }
  }

  /// The share that each block loses.
  private func shares(
    _ sequences: TokenSequences,
    _ layers: ModelLayers,
    progress: any ProgressListener
  ) throws -> [Double] {
    let model = opened.model
    let blocks = model.decoder.blocks
    guard settings.allocation == .owl else {
      return [Double](repeating: settings.target, count: blocks)
    }
    progress.begin("measuring outliers", total: blocks, unit: "blocks")
    defer { progress.end() }
    var hidden = try model.embed(sequences)
    var workspace = BlockWorkspace()
    var ratios: [Double] = []
    for index in 0..<blocks {
      let block = try model.loadBlock(index)
      let moments = try block.inputMoments(hidden, length: windows.length, in: &workspace)
      ratios.append(
        try layers.outlierRatio(of: index, in: model) { try moments.moment(of: model.linears[$0]) }
      )
      block.forward(&hidden, length: windows.length, in: &workspace)
      progress.advance(to: index + 1)
    }
    return OutlierShares.shares(ratios, target: settings.target)
  }
}

extension ModelLayers {
  /// Prunes every layer from statistics of the model as it came, all layers at once.
  ///
  /// - Parameters:
  ///   - model: The model of these layers.
  ///   - statistics: Its statistics; only `A` is looked at.
  ///   - settings: The method and what to remove.
  ///   - journal: The layers that an earlier process has pruned.
  ///   - progress: Hears of each layer.
  ///   - receive: Takes the place and the outcome of each layer, in the model's order.
  /// - Throws: What reading the model and the statistics, the method, and `receive` throw.
  func pruneLayerwise(
    _ model: DecoderModel,
    statistics: StatisticsDirectory,
    settings: PruningSettings,
    journal: any RunJournal,
    progress: any ProgressListener,
    receive: (Int, LayerOutcome) throws -> Void
  ) throws {
    var shares = [Double](repeating: settings.target, count: model.decoder.blocks)
    if settings.allocation == .owl {
      let ratios = try shares.indices.map { block in
        try outlierRatio(of: block, in: model) { try statistics.factors(of: $0).activations }
      }
      shares = OutlierShares.shares(ratios, target: settings.target)
    }
    progress.begin("pruning", total: layers.count, unit: "layers")
    defer { progress.end() }
    for (index, linear) in model.linears.enumerated() {
      let name = RecordName(.outcome, layer: index)
      let outcome = try journal.result(name, of: self.layers[index]) {
        try problem(at: index).prunedLayerwise(
          activations: try statistics.factors(of: index).activations,
          share: shares[linear.block],
          settings: settings
        )
      }
      try receive(index, outcome)
      progress.advance(to: index + 1)
    }
  }

  /// The share of outliers among the scores of one block.
  fileprivate func outlierRatio(
    of block: Int,
    in model: DecoderModel,
    activations: (Int) throws -> Matrix<Float>
  ) throws -> Double {
    let indices = model.linears.indices.filter { model.linears[$0].block == block }
    return OutlierShares.ratio(
      try indices.map { index in
        let layer = try LayerwiseProblem(
          try problem(at: index),
          activations: try activations(index)
        )
        return (layer.weights, layer.meanSquares)
      }
    )
  }
}

extension [String: Matrix<Float>] {
  /// `A` of the inputs that a layer reads.
  fileprivate func moment(of linear: LinearDescription) throws -> Matrix<Float> {
    guard let moment = self[linear.inputGroup] else {
      throw JobError.badSetting("the inputs of \(linear.name) were not seen")
    }
    return moment
  }
}
