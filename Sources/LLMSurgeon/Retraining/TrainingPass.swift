import LinearAlgebra
import Tensors
import Training
import Transformer

/// Forward and backward passes that add up the gradients of what is trained.
///
/// One block's weights are in memory at a time, and the inputs of all blocks for the windows of one
/// pass.
struct TrainingPass {
  /// The family and sizes of the model, and its values as they came.
  let trained: TrainedModel
  /// The model with the values of the moment.
  private let model: DecoderModel
  private var observer: GradientObserver
  private var workspace = BlockWorkspace()

  /// A pass at the values of the moment.
  ///
  /// - Throws: `ModelError` if the tensors do not make a model.
  init(_ trained: TrainedModel) throws {
    self.trained = trained
    model = trained.base.with(trained)
    observer = GradientObserver(trained)
  }

  /// What was added up so far: gradients of the cross entropy summed over positions, in nats.
  var gradients: Gradients { observer.gradients }

  /// Goes forward and back with some windows.
  ///
  /// - Parameter sequences: The windows.
  /// - Returns: The mean cross entropy of each window, in nats per predicted token.
  /// - Throws: What reading the model and computing throw.
  mutating func add(_ sequences: TokenSequences) throws -> [Double] {
    var hidden = try model.embed(sequences)
    var inputs: [Matrix<Float>] = []
    for index in 0..<model.decoder.blocks {
      inputs.append(hidden)
      try model.loadBlock(index).forward(&hidden, length: sequences.length, in: &workspace)
    }
    let losses = try model.loadHead().differentiate(&hidden, sequences, observer: &observer)
    for index in (0..<model.decoder.blocks).reversed() {
      try observer.enter(index, of: trained)
      try model.loadBlock(index).backward(
        &hidden,
        BlockInput(inputs.removeLast(), length: sequences.length),
        in: &workspace,
        observer: &observer
      )
    }
    return losses
  }
}
