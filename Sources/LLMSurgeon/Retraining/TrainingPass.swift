import LinearAlgebra
import Tensors
import Training
import Transformer

/// Forward and backward passes that add up the gradients of what is trained.
///
/// One block's weights are in memory at a time, and the inputs of all blocks for the windows of one
/// pass; with a teacher, its hidden states too.
struct TrainingPass {
  /// The losses of some windows.
  struct Losses {
    /// The mean cross entropy of each window, in nats per predicted token.
    var crossEntropies: [Double] = []
    /// The mean divergence from the teacher's predictions of each window, in nats per predicted token;
    /// none where they are not taught.
    var divergences: [Double] = []
    /// For each window, the mean square of the hidden states' difference from the teacher's; none where
    /// they are not taught.
    var hiddenErrors: [Double] = []

    /// Adds those of further windows.
    mutating func append(_ other: Losses) {
      crossEntropies += other.crossEntropies
      divergences += other.divergences
      hiddenErrors += other.hiddenErrors
    }
  }

  /// The family and sizes of the model, and its values as they came.
  private let trained: TrainedModel
  /// The model with the values of the moment.
  private let model: DecoderModel
  private let teacher: Teacher?
  private var observer: GradientObserver
  private var workspace = BlockWorkspace()

  /// A pass at the values of the moment.
  ///
  /// - Parameters:
  ///   - trained: The model.
  ///   - teacher: The model that it is pulled towards, if any.
  init(_ trained: TrainedModel, teacher: Teacher? = nil) {
    self.trained = trained
    self.teacher = teacher
    model = trained.base.with(trained)
    observer = GradientObserver(trained)
  }

  /// What was added up so far: gradients of the loss summed over predicted positions, in nats.
  var gradients: Gradients { observer.gradients }

  /// Goes forward and back with some windows.
  ///
  /// - Parameter sequences: The windows.
  /// - Returns: Their losses.
  /// - Throws: What reading the model and computing throw.
  mutating func add(_ sequences: TokenSequences) throws -> Losses {
    var lesson = try teacher?.lesson(sequences, in: &workspace)
    var hidden = try model.embed(sequences)
    var inputs: [Matrix<Float>] = []
    for index in 0..<model.decoder.blocks {
      inputs.append(hidden)
      try model.loadBlock(index).forward(&hidden, length: sequences.length, in: &workspace)
      lesson?.compare(hidden, block: index)
    }
    let head = try model.loadHead().differentiate(
      &hidden,
      sequences,
      teacher: lesson?.head,
      observer: &observer
    )
    for index in (0..<model.decoder.blocks).reversed() {
      lesson?.pull(&hidden, block: index)
      try observer.enter(index, of: trained)
      try model.loadBlock(index).backward(
        &hidden,
        BlockInput(inputs.removeLast(), length: sequences.length),
        in: &workspace,
        observer: &observer
      )
    }
    observer.observe(embedded: hidden, of: sequences)
    let errors = lesson?.hiddenError.map { [Double](repeating: $0, count: sequences.count) }
    return Losses(
      crossEntropies: head.losses,
      divergences: head.divergences,
      hiddenErrors: errors ?? []
    )
  }
}
