import LinearAlgebra
import RealModule
import Testing

@testable import Transformer

@Suite("Attention over sequences longer than a block of queries")
struct AttentionTests {
  /// Two query heads on one key head, one sequence of 300 tokens, three channels.
  static let length = 300
  static let size = 3
  static let attention = Attention(
    layout: HeadLayout(sequences: 1, length: length, headSize: size, piece: length),
    heads: 2,
    keyValueHeads: 1
  )

  /// Queries, keys and values as one list of numbers, and the sum of products of the context with
  /// fixed slopes.
  static func objective(_ x: [Double], _ slopes: [Double]) -> (Double, [Double]) {
    let (queries, keys) = (2 * length * size, length * size)
    var context = [Double](repeating: 0, count: queries)
    for head in 0..<2 {
      for position in 0..<length {
        let q = (head * length + position) * size
        let shares = (0...position).map { other in
          let k = queries + other * size
          let score = (0..<size).reduce(0) { $0 + x[q + $1] * x[k + $1] }
          return Double.exp(score / Double(size).squareRoot())
        }
        let sum = shares.reduce(0, +)
        for other in 0...position {
          for channel in 0..<size {
            let v = queries + keys + other * size + channel
            context[q + channel] += shares[other] / sum * x[v]
          }
        }
      }
    }
    return (zip(context, slopes).reduce(0) { $0 + $1.0 * $1.1 }, context)
  }

  @Test("context and gradient agree with brute force")
  func agreement() {
    let (length, size) = (Self.length, Self.size)
    let (queries, keys) = (2 * length * size, length * size)
    var numbers = Numbers(state: 3)
    let x = numbers.row(queries + 2 * keys, scale: 3)
    let slopes = numbers.row(queries)
    func part(_ start: Int, _ rows: Int) -> Matrix<Float> {
      let values = x[start..<start + rows * size].map(Float.init)
      return Matrix(rows: rows, columns: size, storage: values)
    }
    let (q, k) = (part(0, 2 * length), part(queries, length))
    let v = part(queries + keys, length)
    var context = q
    var logSums = Matrix<Float>(rows: 2, columns: length)
    let inputs = Attention.Inputs(queries: q, keys: k, values: v)
    Self.attention.forward(inputs, into: &context, logSums: &logSums)
    let expected = Self.objective(x, slopes).1
    let worst = zip(context.storage, expected).map { abs(Double($0) - $1) }.max() ?? .infinity
    // Scores below 16 carry an error of 3 · 16 · 6e-8 into the exponent; values are below 3.
    #expect(worst <= 2e-5)

    let recorded = Attention.Recorded(
      inputs: inputs,
      context: context,
      logSums: logSums,
      gradients: Matrix(rows: 2 * length, columns: size, storage: slopes.map(Float.init))
    )
    var queryGradients = q
    var pairs = Matrix<Float>(rows: 2 * length, columns: size)
    Self.attention.backward(recorded, queryGradients: &queryGradients, pairGradients: &pairs)
    let gradient = (queryGradients.storage + pairs.storage).map(Double.init)
    // Along random directions in each of the three parts, and in all.
    for part in [0..<queries, queries..<queries + keys, queries + keys..<x.count, 0..<x.count] {
      let direction = x.indices.map { part.contains($0) ? numbers.next() : 0 }
      let step = 1e-4
      let ahead = zip(x, direction).map { $0 + step * $1 }
      let behind = zip(x, direction).map { $0 - step * $1 }
      let quotient =
        (Self.objective(ahead, slopes).0 - Self.objective(behind, slopes).0) / (2 * step)
      let product = zip(gradient, direction).reduce(0) { $0 + $1.0 * $1.1 }
      let size = zip(gradient, direction).reduce(0) { $0 + abs($1.0 * $1.1) }
      #expect(abs(product - quotient) <= 1e-5 * size)
    }
  }
}
