import Depth
import LinearAlgebra
import Tensors
import Transformer

/// Fits emulators of what is gone from a model, gap after gap, and multiplies them into the weights
/// before the gaps.
///
/// The whole model and what is left of it run side by side, so that what an earlier gap still misses
/// is made up for at a later one too.
struct DepthFold {
  /// `λ` as a share of the mean square of a channel; no unit.
  private static let ridge = 1e-3

  let model: DecoderModel
  let mask: DepthMask
  let windows: TokenWindows
  let kind: Emulator.Kind

  /// What the fits leave.
  struct Result {
    /// New values of weights and biases, in single precision.
    var weights = MemoryTensors()
    /// What a person should know, a line each.
    var notes: [String] = []
  }

  /// The last part that runs before a gap.
  private struct Anchor {
    /// Its last linear layer.
    let linear: LinearDescription
    /// The hidden state before the part.
    let before: Matrix<Float>
  }

  /// What is carried from part to part.
  private struct State {
    /// The hidden state of the whole model.
    var whole: Matrix<Float>
    /// That of what is left.
    var left: Matrix<Float>
    var anchor: Anchor?
    /// Whether parts after the anchor are gone.
    var isGapOpen = false
    var workspace = BlockWorkspace()
  }

  /// Fits all gaps.
  ///
  /// - Parameter progress: Hears of each block.
  /// - Returns: The new weights.
  /// - Throws: ``JobError/badSetting(_:)`` where the weights cannot hold the form, `DepthError`, or
  ///   what running the model throws.
  func run(progress: any ProgressListener) throws -> Result {
    let sequences = try TokenSequences(tokens: windows.tokens, length: windows.length)
    progress.begin("emulating what is gone", total: mask.count, unit: "blocks")
    defer { progress.end() }
    let start = try model.embed(sequences)
    var state = State(whole: start, left: start)
    var result = Result()
    for number in 0..<mask.count {
      let block = try model.loadBlock(number)
      for part in [BlockParts.attention, .feedForward] {
        if mask[number].contains(part) {
          try close(&state, &result)
          let linear = model.linears(of: part, block: number).last { $0.role.closesPart }
          state.anchor = linear.map { Anchor(linear: $0, before: state.left) }
          run(block, part, on: &state.left, in: &state.workspace)
        } else {
          state.isGapOpen = true
        }
        run(block, part, on: &state.whole, in: &state.workspace)
      }
      progress.advance(to: number + 1)
    }
    try close(&state, &result)
    return result
  }

  private func run(
    _ block: DecoderBlock,
    _ part: BlockParts,
    on hidden: inout Matrix<Float>,
    in workspace: inout BlockWorkspace
  ) {
    block.only(part).forward(&hidden, length: windows.length, in: &workspace)
  }

  /// Makes up for what is missing behind a gap.
  private func close(_ state: inout State, _ result: inout Result) throws {
    guard state.isGapOpen else { return }
    state.isGapOpen = false
    guard let anchor = state.anchor else {
      result.notes.append("what is gone from the start has nothing before it to be folded into")
      return
    }
    guard kind != .bias || anchor.linear.hasBias else {
      throw JobError.badSetting(
        "\(anchor.linear.name) has no bias to hold a constant: give --emulate full or diagonal"
      )
    }
    let added = state.left.less(anchor.before)
    var sums = EmulatorSums(width: added.columns)
    sums.add(
      inputs: added,
      updates: state.whole.less(state.left),
      weights: tokenWeights(state.left)
    )
    let emulator = try Emulator(kind, sums, ridge: Self.ridge, hasBias: anchor.linear.hasBias)
    try fold(emulator, into: anchor.linear, &result.weights)
    apply(emulator, to: added, addingTo: &state.left)
  }

  /// `1 / ‖h‖²`, lest tokens of huge norm dominate; nothing for the first token of a window, whose
  /// state is unlike all others.
  private func tokenWeights(_ hidden: Matrix<Float>) -> [Double] {
    (0..<hidden.rows).map { row in
      guard row % windows.length != 0 else { return 0 }
      let square = (0..<hidden.columns).reduce(0.0) {
        $0 + Double(hidden[row, $1]) * Double(hidden[row, $1])
      }
      return square > 0 ? 1 / square : 0
    }
  }

  /// `W + E W`, and `c + E c + b`.
  private func fold(
    _ emulator: Emulator,
    into linear: LinearDescription,
    _ weights: inout MemoryTensors
  ) throws {
    func changed(_ name: TensorName, columns: Int, adding bias: [Double]?) throws {
      let old = Matrix(
        rows: linear.outputs,
        columns: columns,
        storage: try model.source.floats(name)
      ).widened()
      var new = old
      multiplyTiled(emulator.map.view, old.view, keeping: 1, into: &new)
      if let bias { for row in bias.indices { new[row, 0] += bias[row] } }
      let values = new.narrowed().storage
      guard values.allSatisfy(\.isFinite) else { throw JobError.notFinite("the folded \(name)") }
      let shape = try model.source.existing(name).shape
      try weights.set(name, TensorDescription(elementType: .float32, shape: shape), floats: values)
    }
    try changed(linear.weight, columns: linear.inputs, adding: nil)
    if let bias = linear.bias { try changed(bias, columns: 1, adding: emulator.bias) }
  }

  /// Adds `E x + b` to the hidden state.
  private func apply(
    _ emulator: Emulator,
    to added: Matrix<Float>,
    addingTo hidden: inout Matrix<Float>
  ) {
    multiplyTiled(added.view, emulator.map.narrowed().transposedView, keeping: 1, into: &hidden)
    guard let bias = emulator.bias else { return }
    for row in 0..<hidden.rows {
      for column in 0..<hidden.columns { hidden[row, column] += Float(bias[column]) }
    }
  }
}

extension LinearRole {
  /// Whether the layer's output is what its part adds to the hidden state.
  var closesPart: Bool { self == .attentionOutput || self == .down }
}
