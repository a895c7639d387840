import Curvature
import LinearAlgebra
import Transformer

/// How fast a model of some shape is calibrated: one batch through one block, forward and back with
/// its factors, and through the output head; the rest of a calibration is more of the same.
struct CalibrationBenchmark {
  private let shape: ModelShape
  private let windows: Int
  private var tokens: Int { windows * shape.length }

  init(_ shape: ModelShape) {
    self.shape = shape
    windows = max(1, DecoderBlock.tokensPerBatch / shape.length)
  }

  /// Measures and adds the figures.
  func run(_ board: inout Scoreboard) throws {
    let model = try shape.model()
    let count = Double(tokens)
    let counted = OperationCount(shape, tokens: count)
    let block = try measureBlock(model, counted, &board)
    let head = try measureHead(model, counted, &board)
    let blocks = Double(shape.blocks)
    let seconds = blocks * block.seconds + head.seconds
    // The rates differ from round to round, the floors have them in them.
    let floor = blocks * block.floor + head.floor
    board.add(
      Figure(
        name: "\(shape.name), calibration, all products",
        seconds: seconds,
        rate: (count / seconds, "tokens/s"),
        floor: floor
      )
    )
    let lean = floor * counted.lean(blocks: blocks) / counted.done(blocks: blocks)
    board.add(
      Figure(
        name: "\(shape.name), calibration, lean count",
        seconds: seconds,
        rate: (count / seconds, "tokens/s"),
        floor: lean
      )
    )
    add("loss", head, seconds, 1, &board)
    add("blocks", block, seconds, blocks, &board)
    // Short windows go through a block one by one, where its parts cannot be timed alone.
    guard windows * shape.length == shape.length * 2 else { return }
    let parts = try PartTimes(shape, tokens: tokens, counted, &board)
    add("– linear layers", parts.linear, seconds, blocks, &board)
    add("– attention", parts.attention, seconds, blocks, &board)
    add("– factor updates", parts.factors, seconds, blocks, &board)
    let known = parts.linear.seconds + parts.attention.seconds + parts.factors.seconds
    add("– element-wise and other", (block.seconds - known, 0), seconds, blocks, &board)
  }

  /// Adds what one part takes of the whole.
  private func add(
    _ name: String,
    _ part: (seconds: Double, floor: Double),
    _ whole: Double,
    _ times: Double,
    _ board: inout Scoreboard
  ) {
    board.add(
      Figure(
        name: "\(shape.name), \(name)",
        seconds: times * part.seconds,
        rate: (100 * times * part.seconds / whole, "% of the time"),
        floor: part.floor > 0 ? times * part.floor : nil
      )
    )
  }

  private func noise() -> Matrix<Float> {
    var numbers = MadeUpNumbers()
    let storage = numbers.next(tokens * shape.hidden, scale: 1)
    return Matrix(rows: tokens, columns: shape.hidden, storage: storage)
  }

  private func measureBlock(
    _ model: DecoderModel,
    _ counted: OperationCount,
    _ board: inout Scoreboard
  ) throws -> (seconds: Double, floor: Double) {
    let block = try model.loadBlock(0)
    var workspace = BlockWorkspace()
    var observer = FactorObserver()
    let input = noise()
    let length = shape.length
    return try board.time(operations: counted.block) {
      var (hidden, gradient) = (input, input)
      block.forward(&hidden, length: length, in: &workspace)
      try block.backward(
        &gradient,
        BlockInput(input, length: length),
        in: &workspace,
        observer: &observer
      )
    }
  }

  private func measureHead(
    _ model: DecoderModel,
    _ counted: OperationCount,
    _ board: inout Scoreboard
  ) throws -> (seconds: Double, floor: Double) {
    let head = try model.loadHead()
    let input = noise()
    let tokens = (0..<tokens).map { $0 * 7919 % shape.vocabulary }
    let sequences = try TokenSequences(tokens: tokens, length: shape.length)
    return try board.time(operations: counted.head) {
      var hidden = input
      _ = try head.differentiate(&hidden, sequences, labels: .text)
    }
  }
}

/// The floating-point operations of a calibration, by its shapes.
struct OperationCount {
  /// What one block does with a batch: forward, forward again, back, and the factors.
  let block: Double
  /// What the output head does with a batch.
  let head: Double
  /// What a block would do if it kept everything from the forward pass.
  private let leanBlock: Double
  /// The products of the linear layers and of attention, and the factors.
  let parts: (linear: Double, attention: Double, factors: Double)

  init(_ shape: ModelShape, tokens: Double) {
    let (linear, attention) = (shape.linearOperations, shape.attentionOperations)
    parts = (
      tokens * 3 * linear, tokens * 9 * attention, tokens * shape.factorOperations
    )
    block = parts.linear + parts.attention + parts.factors
    head = tokens * shape.headOperations
    // Scores and context once, and four products back.
    leanBlock = tokens * (2 * linear + 6 * attention + shape.factorOperations)
  }

  /// The operations of all blocks and the head.
  func done(blocks: Double) -> Double { blocks * block + head }

  /// The same for a calibration that repeats nothing: forward, gradients of inputs, and factors.
  func lean(blocks: Double) -> Double { blocks * leanBlock + head }
}

/// Sums the factors of a block, as a calibration does.
private struct FactorObserver: LinearObserver {
  private var moments: [SecondMoment] = []

  mutating func observe(_ traffic: [LinearTraffic]) {
    let samples = traffic.flatMap { [$0.inputs] + $0.gradients }
    if moments.isEmpty {
      moments = samples.map { SecondMoment(width: $0[0].columns, appendsOne: false) }
    }
    SecondMoment.add(samples, to: &moments)
  }
}
