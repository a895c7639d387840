import LinearAlgebra
import RealModule

@testable import Transformer

/// A block in double precision, one number at a time: the definition, not an algorithm.
struct BruteForceBlock {
  typealias Rows = [[Double]]

  let decoder: DecoderDescription
  var weights: [LinearRole: Rows]
  var biases: [LinearRole: [Double]]
  var norms: [(weight: [Double], bias: [Double])]
  /// Added to a layer's outputs, to take derivatives with respect to them.
  var nudge: (role: LinearRole, token: Int, output: Int, by: Double)?

  func linear(_ role: LinearRole, _ x: Rows) -> Rows {
    let weight = weights[role] ?? []
    var y = x.map { row in
      weight.enumerated().map { output, w in
        zip(w, row).reduce(biases[role]?[output] ?? 0) { $0 + $1.0 * $1.1 }
      }
    }
    if let nudge, nudge.role == role { y[nudge.token][nudge.output] += nudge.by }
    return y
  }

  func norm(_ number: Int, _ x: Rows) -> Rows {
    x.map { row in
      let count = Double(row.count)
      let mean = decoder.norm == .layer ? row.reduce(0, +) / count : 0
      let square = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
      let scale = 1 / (square + decoder.normEpsilon).squareRoot()
      return row.indices.map {
        (row[$0] - mean) * scale * norms[number].weight[$0] + norms[number].bias[$0]
      }
    }
  }

  func rotate(_ head: [Double], _ position: Int) -> [Double] {
    guard case .rotary(let base, let scaling) = decoder.position else { return head }
    let half = head.count / 2
    return head.indices.map { index in
      var frequency = Double.pow(base, -Double(index % half) / Double(half))
      if case .linear(let factor) = scaling { frequency /= factor }
      let angle = Double(position) * frequency
      let other = index < half ? -head[index + half] : head[index - half]
      return head[index] * Double.cos(angle) + other * Double.sin(angle)
    }
  }

  func attend(_ q: Rows, _ k: Rows, _ v: Rows, length: Int) -> Rows {
    let size = decoder.headSize
    func head(_ row: [Double], _ number: Int) -> [Double] {
      Array(row[number * size..<(number + 1) * size])
    }
    return q.indices.map { token in
      let first = token - token % length
      let shape = decoder.blockShapes[0]
      return (0..<shape.heads).flatMap { number -> [Double] in
        let group = number / shape.headsPerGroup
        let query = rotate(head(q[token], number), token - first)
        let scores = (first...token).map { other -> Double in
          let key = rotate(head(k[other], group), other - first)
          return zip(query, key).reduce(0) { $0 + $1.0 * $1.1 } / Double(size).squareRoot()
        }
        let shares = scores.map { Double.exp($0) }
        let sum = shares.reduce(0, +)
        return (0..<size).map { channel in
          shares.indices.reduce(0) {
            $0 + shares[$1] / sum * head(v[first + $1], group)[channel]
          }
        }
      }
    }
  }

  func activate(_ x: Double) -> Double {
    decoder.activation == .relu ? max(x, 0) : x / (1 + Double.exp(-x))
  }

  func forward(_ input: Rows, length: Int) -> Rows {
    func add(_ left: Rows, _ right: Rows) -> Rows {
      zip(left, right).map { zip($0, $1).map(+) }
    }
    let x = norm(0, input)
    let context = attend(
      linear(.query, x),
      linear(.key, x),
      linear(.value, x),
      length: length
    )
    let middle = add(input, linear(.attentionOutput, context))
    let z = norm(1, middle)
    var neurons = linear(.up, z)
    if decoder.isGated {
      let gate = linear(.gate, z).map { $0.map(activate) }
      neurons = zip(gate, neurons).map { zip($0, $1).map(*) }
    } else {
      neurons = neurons.map { $0.map(activate) }
    }
    return add(middle, linear(.down, neurons))
  }
}

/// A fixed pseudo-random sequence of numbers between −1 and 1.
struct Numbers {
  var state: UInt64

  mutating func next() -> Double {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    // A multiple of 2⁻²³, so that it is exact in single precision too.
    return Double(state >> 40) / Double(1 << 23) - 1
  }
  mutating func row(_ count: Int, scale: Double = 1) -> [Double] {
    (0..<count).map { _ in Double(Float(next() * scale)) }
  }
  mutating func rows(_ count: Int, _ width: Int, scale: Double = 1) -> [[Double]] {
    (0..<count).map { _ in row(width, scale: scale) }
  }
}

func matrix(_ rows: [[Double]]) -> Matrix<Float> {
  Matrix(rows: rows.count, columns: rows[0].count, storage: rows.flatMap { $0.map(Float.init) })
}

/// The central difference quotient; its error is some 1e-10 by the step, 1e-11 by rounding.
func quotient(_ value: (Double) -> Double) -> Double {
  let step = 1e-5
  return (value(step) - value(-step)) / (2 * step)
}

func objective(_ output: [[Double]], _ slope: [[Double]]) -> Double {
  zip(output, slope).reduce(0) { $0 + zip($1.0, $1.1).reduce(0) { $0 + $1.0 * $1.1 } }
}
