import LinearAlgebra
import Transformer

/// How much the model as it came teaches the one that blocks were removed from, beside the text.
///
/// The loss is `CE + logits · KL + hidden · MSE`: the cross entropy and the Kullback–Leibler divergence of
/// the predictions from the teacher's, each a mean over predicted tokens, and the mean square over all
/// entries of what the kept blocks hand on less what the same blocks of the teacher do.
public struct Distillation: Sendable, Equatable {
  /// The weight of the divergence; 0 for none.
  public var logits: Double
  /// The weight of the mean square; 0 for none.
  public var hidden: Double

  /// No teacher, unless stated.
  public init(logits: Double = 0, hidden: Double = 0) {
    self.logits = logits
    self.hidden = hidden
  }

  /// Whether there is a teacher at all.
  var isUsed: Bool { logits > 0 || hidden > 0 }

  /// Refuses weights that cannot be.
  ///
  /// - Throws: ``JobError/badSetting(_:)``.
  func check() throws {
    for (name, weight) in [("logits", logits), ("hidden states", hidden)]
    where !(weight >= 0 && weight.isFinite) {
      throw JobError.badSetting("the weight of the teacher's \(name) is \(weight); it is 0 or more")
    }
  }
}

/// A whole model that teaches one of fewer blocks.
struct Teacher: Sendable {
  private let model: DecoderModel
  private let distillation: Distillation
  /// The teacher's block that each block of the student is.
  private let blocks: [Int]
  /// The head, where predictions are taught.
  private let head: OutputHead?

  /// A teacher.
  ///
  /// - Parameters:
  ///   - model: The whole model.
  ///   - distillation: What it teaches.
  ///   - blocks: Its block that each block of the student is, in ascending order.
  /// - Throws: `ModelError` if the head cannot be read.
  init(_ model: DecoderModel, _ distillation: Distillation, of blocks: [Int]) throws {
    self.model = model
    self.distillation = distillation
    self.blocks = blocks
    head = distillation.logits > 0 ? try model.loadHead() : nil
  }

  /// Runs the teacher on some windows.
  ///
  /// - Parameters:
  ///   - sequences: The windows.
  ///   - workspace: Memory that serves one call after another.
  /// - Returns: What the student is compared with.
  /// - Throws: `ModelError` if weights cannot be read.
  func lesson(_ sequences: TokenSequences, in workspace: inout BlockWorkspace) throws -> Lesson {
    var hidden = try model.embed(sequences)
    var states: [Matrix<Float>] = []
    for index in 0..<model.decoder.blocks {
      try model.loadBlock(index).forward(&hidden, length: sequences.length, in: &workspace)
      if distillation.hidden > 0, blocks.contains(index) { states.append(hidden) }
    }
    return Lesson(
      states: states,
      length: sequences.length,
      weight: distillation.hidden,
      head: head.map { HeadTeacher($0, hidden: hidden, weight: distillation.logits) }
    )
  }
}

/// What a teacher makes of some windows.
struct Lesson {
  /// The output of each block that the student has too, shape `[tokens, hidden]`.
  ///
  /// Once compared, how far that of the student is from it; none where hidden states are not taught.
  private var states: [Matrix<Float>]
  /// The tokens of a window.
  private let length: Int
  private let weight: Double
  private var squares = 0.0
  /// The predictions, where they are taught.
  let head: HeadTeacher?

  init(states: [Matrix<Float>], length: Int, weight: Double, head: HeadTeacher?) {
    self.states = states
    self.length = length
    self.weight = weight
    self.head = head
  }

  /// The entries of all states.
  private var entries: Double { Double(max(1, states.count * (states.first?.storage.count ?? 0))) }

  /// The mean square of the differences, once all blocks were compared; nil where hidden states are
  /// not taught.
  var hiddenError: Double? { states.isEmpty ? nil : squares / entries }

  /// Compares the output of a block of the student.
  mutating func compare(_ hidden: Matrix<Float>, block: Int) {
    guard !states.isEmpty else { return }
    for index in hidden.storage.indices {
      let gap = hidden.storage[index] - states[block].storage[index]
      states[block].storage[index] = gap
      squares += Double(gap) * Double(gap)
    }
  }

  /// Adds the slope of the weighted mean square with respect to the output of a block.
  ///
  /// Gradients are those of sums over predicted tokens, of which a window has one fewer than tokens,
  /// and are divided by their number in the end.
  func pull(_ gradient: inout Matrix<Float>, block: Int) {
    guard !states.isEmpty else { return }
    let gaps = states[block]
    let predicted = Double(gaps.rows / length * (length - 1))
    let factor = Float(2 * weight * predicted / entries)
    for index in gaps.storage.indices { gradient.storage[index] += factor * gaps.storage[index] }
  }
}
