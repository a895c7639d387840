import LinearAlgebra
import Transformer

/// How long the parts of a block take for one batch of few long windows, each by itself, forward twice
/// and back.
struct PartTimes {
  let linear: (seconds: Double, floor: Double)
  let attention: (seconds: Double, floor: Double)
  let factors: (seconds: Double, floor: Double)

  init(
    _ shape: ModelShape,
    tokens: Int,
    _ counted: OperationCount,
    _ board: inout Scoreboard
  ) throws {
    linear = Self.linear(shape, tokens, counted, &board)
    attention = Self.attention(shape, tokens, counted, &board)
    factors = Self.factors(shape, tokens, counted, &board)
  }

  private static func matrix(_ rows: Int, _ columns: Int) -> Matrix<Float> {
    var numbers = MadeUpNumbers()
    let storage = numbers.next(rows * columns, scale: 1)
    return Matrix(rows: rows, columns: columns, storage: storage)
  }

  private static func linear(
    _ shape: ModelShape,
    _ tokens: Int,
    _ counted: OperationCount,
    _ board: inout Scoreboard
  ) -> (seconds: Double, floor: Double) {
    let weights = shape.linears.map { matrix($0.outputs, $0.inputs) }
    var inputs = weights.map { matrix(tokens, $0.columns) }
    var outputs = weights.map { matrix(tokens, $0.rows) }
    return board.time(operations: counted.parts.linear) {
      for (index, weight) in weights.enumerated() {
        for _ in 0..<2 { pass(inputs[index], weight, into: &outputs[index]) }
        passBack(outputs[index], weight, into: &inputs[index])
      }
    }
  }

  private static func pass(
    _ inputs: Matrix<Float>,
    _ weight: Matrix<Float>,
    into outputs: inout Matrix<Float>
  ) {
    multiplyTiled(inputs.view, weight.transposedView, adding: nil, into: &outputs)
  }

  private static func passBack(
    _ outputs: Matrix<Float>,
    _ weight: Matrix<Float>,
    into inputs: inout Matrix<Float>
  ) {
    multiplyTiled(outputs.view, weight.view, into: &inputs)
  }

  private static func attention(
    _ shape: ModelShape,
    _ tokens: Int,
    _ counted: OperationCount,
    _ board: inout Scoreboard
  ) -> (seconds: Double, floor: Double) {
    let size = shape.hidden / shape.heads
    let attention = Attention(
      layout: HeadLayout(
        sequences: tokens / shape.length,
        length: shape.length,
        headSize: size,
        piece: shape.length
      ),
      heads: shape.heads,
      keyValueHeads: shape.keyValueHeads
    )
    let (wide, narrow) = (tokens * shape.heads, tokens * shape.keyValueHeads)
    let gradients = matrix(wide, size)
    let inputs = Attention.Inputs(
      queries: gradients,
      keys: matrix(narrow, size),
      values: matrix(narrow, size)
    )
    var context = Matrix<Float>(rows: wide, columns: size)
    var logSums = Matrix<Float>(rows: wide / shape.length, columns: shape.length)
    var (queries, pairs) = (context, Matrix<Float>(rows: 2 * narrow, columns: size))
    return board.time(operations: counted.parts.attention) {
      for _ in 0..<2 { attention.forward(inputs, into: &context, logSums: &logSums) }
      attention.backward(
        Attention.Recorded(
          inputs: inputs,
          context: context,
          logSums: logSums,
          gradients: gradients
        ),
        queryGradients: &queries,
        pairGradients: &pairs
      )
    }
  }

  private static func factors(
    _ shape: ModelShape,
    _ tokens: Int,
    _ counted: OperationCount,
    _ board: inout Scoreboard
  ) -> (seconds: Double, floor: Double) {
    let samples = shape.factorOrders.map { [matrix(tokens, $0)] }
    var sums = shape.factorOrders.map { Matrix<Float>(rows: $0, columns: $0) }
    return board.time(operations: counted.parts.factors) { addGrams(of: samples, to: &sums) }
  }
}
