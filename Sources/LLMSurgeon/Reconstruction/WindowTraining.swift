import LinearAlgebra
import Tensors
import Training
import Transformer

/// Fits a window of a pruned model to given outputs: least mean square of the difference, over all
/// entries, by a few trained values.
struct WindowTraining {
  let unit: WindowUnit
  /// What the window reads; shape `[tokens, hidden]`.
  let inputs: Matrix<Float>
  /// What it is to make of it; like `inputs`.
  let target: Matrix<Float>
  /// The number of tokens in a sequence.
  let length: Int
  let choice: TrainingChoice
  /// The sequences of one step.
  let sequencesAtOnce: Int

  /// Trains.
  ///
  /// - Parameters:
  ///   - model: The pruned model, with what was fitted before.
  ///   - workspace: Memory that serves one window after another.
  /// - Returns: The model with trained values.
  /// - Throws: What reading the model and computing throw.
  func train(
    _ model: DecoderModel,
    in workspace: inout BlockWorkspace
  ) throws -> TrainedModel {
    let scope = TrainedModel.Scope(blocks: unit.blocks, parts: unit.parts, hasHead: false)
    var trained = try TrainedModel(model, choice, scope: scope)
    let (optimizer, course) = (try choice.optimizer(), try choice.course())
    var order = ShuffledOrder(count: inputs.rows / length, seed: choice.seed)
    for step in 1...course.steps {
      let places = (step - 1) * sequencesAtOnce..<step * sequencesAtOnce
      let sequences = places.map { order.number(at: $0) }
      let gradients = try gradients(trained, sequences, in: &workspace)
      // The derivative of a mean of squares.
      let scale = 2 / Double(sequences.count * length * inputs.columns)
      try optimizer.update(
        &trained.parameters,
        gradients,
        step: step,
        rate: course.rate(step: step),
        scale: scale
      )
    }
    return trained
  }

  /// The gradients of half the sum of squares over some sequences.
  private func gradients(
    _ trained: TrainedModel,
    _ sequences: [Int],
    in workspace: inout BlockWorkspace
  ) throws -> Gradients {
    let model = trained.base.with(trained)
    var hidden = select(inputs, sequences)
    var passed: [Matrix<Float>] = []
    for block in unit.blocks {
      passed.append(hidden)
      try model.loadBlock(block).only(unit.parts)
        .forward(&hidden, length: length, in: &workspace)
    }
    let wanted = select(target, sequences)
    for index in hidden.storage.indices { hidden.storage[index] -= wanted.storage[index] }
    var observer = GradientObserver(trained)
    for block in unit.blocks.reversed() {
      try observer.enter(block, of: trained)
      try model.loadBlock(block).only(unit.parts).backward(
        &hidden,
        BlockInput(passed.removeLast(), length: length),
        in: &workspace,
        observer: &observer
      )
    }
    return observer.gradients
  }

  /// The rows of some sequences.
  private func select(_ matrix: Matrix<Float>, _ sequences: [Int]) -> Matrix<Float> {
    let size = length * matrix.columns
    return Matrix(
      rows: sequences.count * length,
      columns: matrix.columns,
      storage: sequences.flatMap { matrix.storage[$0 * size..<($0 + 1) * size] }
    )
  }
}
