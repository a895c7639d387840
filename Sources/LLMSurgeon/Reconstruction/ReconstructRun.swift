import ExactJSON
import Foundation
import LinearAlgebra
import Report
import Tensors
import Training
import Transformer

/// One reconstruction, window by window.
struct ReconstructRun: ResumableRun {
  let options: ReconstructOptions
  let setup: RetrainSetup
  /// The model before it was pruned.
  let dense: DecoderModel
  let identity: JSONValue
  /// The tensors that were fitted so far, rounded as the checkpoint is.
  private var fitted = MemoryTensors()
  private(set) var report: ReconstructionReport
  private var workspace = BlockWorkspace()

  /// A reconstruction that has not begun.
  init(
    _ options: ReconstructOptions,
    _ setup: RetrainSetup,
    dense: DecoderModel,
    identity: JSONValue
  ) throws {
    self.options = options
    self.setup = setup
    self.dense = dense
    self.identity = identity
    report = ReconstructionReport(options, setup)
  }

  private var length: Int { setup.windows.length }

  /// The pruned model with what was fitted so far.
  private var model: DecoderModel {
    let pruned = setup.opened.model
    return pruned.with(
      OverlayTensors(base: pruned.source, front: fitted, isRounded: false)
    )
  }

  /// Fits the windows that are not fitted yet.
  ///
  /// - Parameters:
  ///   - folder: Where the state is kept.
  ///   - progress: Hears how it goes on.
  /// - Throws: What reading the models, computing, and writing throw.
  mutating func finish(in folder: URL, progress: any ProgressListener) throws {
    let units = WindowUnit.units(
      of: options.reconstruction.window,
      blocks: dense.decoder.blocks
    )
    let states = WindowStates(folder: folder)
    if let saved = try states.last() {
      (fitted, report.windows) = (saved.fitted, saved.records)
      report.lossBefore = saved.lossBefore
      progress.note("continuing an unfinished reconstruction after window \(saved.done)")
    } else if let heldOut = setup.heldOut {
      report.lossBefore = try model.meanLoss(heldOut, progress: SilentProgress())
    }
    let done = states.done
    progress.begin("reconstructing", total: units.count, unit: "windows")
    defer { progress.end() }
    progress.resume(at: done)
    let sequences = try TokenSequences(tokens: setup.windows.tokens, length: length)
    var paths = Paths(pruned: try model.embed(sequences), dense: try dense.embed(sequences))
    for (number, unit) in units.enumerated() {
      if number >= done {
        try fit(unit, paths, progress: progress)
        try states.save(number + 1, fitted, report.windows, lossBefore: report.lossBefore)
      }
      // What an earlier process fitted only passes by.
      progress.advance(to: max(done, number + 1))
      guard number + 1 < units.count else { break }
      try unit.forward(model, &paths.pruned, length: length, in: &workspace)
      try unit.forward(dense, &paths.dense, length: length, in: &workspace)
    }
    guard let heldOut = setup.heldOut else { return }
    report.lossAfter = try model.meanLoss(heldOut, progress: SilentProgress())
  }

  /// The hidden states before a window.
  private struct Paths {
    /// Behind the windows as they are, pruned and fitted.
    var pruned: Matrix<Float>
    /// Behind those of the dense model.
    var dense: Matrix<Float>
  }

  private mutating func fit(
    _ unit: WindowUnit,
    _ paths: Paths,
    progress: any ProgressListener
  ) throws {
    let choice = options.reconstruction
    let inputs = choice.inputs == .pruned ? paths.pruned : paths.dense
    let wanted = choice.target == .densePath ? paths.dense : inputs
    if choice.window == .matrix {
      try solve(unit.blocks.lowerBound, inputs: inputs, wanted: wanted)
      return
    }
    var target = wanted
    try unit.forward(dense, &target, length: length, in: &workspace)
    let training = WindowTraining(
      unit: unit,
      inputs: inputs,
      target: target,
      length: length,
      choice: options.training,
      sequencesAtOnce: options.data.batch * options.data.accumulation
    )
    let before = try error(of: unit, model, inputs, target)
    let trained = try training.train(model, in: &workspace)
    let former = fitted
    try trained.write(to: &fitted)
    let after = try error(of: unit, model, inputs, target)
    let isBetter = after < before
    if !isBetter { fitted = former }
    report.windows.append(.init(name: unit.name, before: before, after: after, isKept: isBetter))
    progress.note(report.windows[report.windows.count - 1].text)
  }

  /// The mean square, over all entries, of what a window makes less what it should make.
  private mutating func error(
    of unit: WindowUnit,
    _ model: DecoderModel,
    _ inputs: Matrix<Float>,
    _ target: Matrix<Float>
  ) throws -> Double {
    var output = inputs
    try unit.forward(model, &output, length: length, in: &workspace)
    var total = 0.0
    for index in output.storage.indices {
      let gap = Double(output.storage[index]) - Double(target.storage[index])
      total += gap * gap
    }
    guard total.isFinite else { throw JobError.notFinite("the output of \(unit.name)") }
    return total / Double(max(1, output.storage.count))
  }

  /// Solves for the matrices of a block, one input group after the other.
  private mutating func solve(
    _ block: Int,
    inputs: Matrix<Float>,
    wanted: Matrix<Float>
  ) throws {
    for group in model.inputGroups where group.block == block {
      let moments = try moments(of: group, inputs: inputs, wanted: wanted)
      for index in group.linears {
        try solve(model.linears[index], moments)
      }
    }
  }

  private mutating func solve(_ linear: LinearDescription, _ moments: GroupMoments) throws {
    let pruned = try ModelLayers.weights(of: linear, in: model.source).widened()
    let problem = MatrixProblem(
      pruned,
      dense: try ModelLayers.weights(of: linear, in: dense.source).widened(),
      moments,
      biasColumn: linear.hasBias
        ? (linear.inputs, options.training.groups.contains(.biases)) : nil
    )
    let before = problem.error(of: pruned)
    let former = fitted
    for tensor in linear.tensors(of: problem.solution().narrowed()) {
      try fitted.set(
        tensor.name,
        try model.source.existing(tensor.name),
        floats: tensor.values
      )
    }
    let after = problem.error(
      of: try ModelLayers.weights(of: linear, in: model.source).widened()
    )
    let isBetter = after < before
    if !isBetter { fitted = former }
    report.windows.append(
      .init(name: linear.name, before: before, after: after, isKept: isBetter)
    )
  }

  /// What the layers of a group read, some sequences at a time.
  private mutating func moments(
    of group: InputGroup,
    inputs: Matrix<Float>,
    wanted: Matrix<Float>
  ) throws -> GroupMoments {
    let (block, denseBlock) = (
      try model.loadBlock(group.block), try dense.loadBlock(group.block)
    )
    let isSame = options.reconstruction.target == .sameInput
    var moments = GroupMoments(width: group.inputs + (group.hasBias ? 1 : 0))
    for rows in DecoderBlock.batchRanges(rows: inputs.rows, length: length) {
      var (seen, aim) = (GroupInputs(group.name), GroupInputs(group.name))
      block.showInputs(
        BlockInput(inputs.selecting(rows: rows), length: length),
        in: &workspace,
        to: &seen
      )
      if !isSame {
        denseBlock.showInputs(
          BlockInput(wanted.selecting(rows: rows), length: length),
          in: &workspace,
          to: &aim
        )
      }
      moments.add(seen.pieces, isSame ? seen.pieces : aim.pieces, appendsOne: group.hasBias)
    }
    return moments
  }

  /// Writes the model with what was fitted, and the report beside it.
  func write(progress: any ProgressListener) throws -> ReconstructReport {
    let report = try ReconstructReport(report)
    try setup.opened.write(
      model,
      setup,
      files: [ReconstructReport.fileName: report.file],
      to: (options.output, options.overwrite),
      progress: progress
    )
    return report
  }
}
