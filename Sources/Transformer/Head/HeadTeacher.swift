package import LinearAlgebra
import RealModule

/// Predictions that those of another model are pulled towards.
package struct HeadTeacher: Sendable {
  /// The teacher's head.
  let head: OutputHead
  /// The output of the teacher's last block for the same tokens, shape `[tokens, hidden]`.
  let hidden: Matrix<Float>
  /// How much a nat of divergence counts beside one of cross entropy; no unit.
  let weight: Double

  /// The predictions of a head.
  ///
  /// - Parameters:
  ///   - head: The teacher's head.
  ///   - hidden: The output of its last block, shape `[tokens, hidden]`.
  ///   - weight: How much a nat of divergence counts beside one of cross entropy.
  package init(_ head: OutputHead, hidden: Matrix<Float>, weight: Double) {
    self.head = head
    self.hidden = hidden
    self.weight = weight
  }

  /// How far a student's predictions are from the teacher's at some positions, and the slopes of that.
  ///
  /// With the logits `s` of the student and `t` of the teacher, `q = softmax(s)` and `p = softmax(t)`,
  /// the divergence is `KL(p ‖ q) = Σ p (log p − log q)` and its gradient with respect to `s` is
  /// `q − p`.
  struct Pull {
    /// The divergences, one for each position, in nats.
    var divergences: [Double] = []
    /// The gradients of the weighted divergences, position after position.
    var slopes: [Float] = []
  }

  /// Compares the logits of some consecutive positions.
  ///
  /// - Parameters:
  ///   - logits: The student's, shape `[positions, vocabulary]`.
  ///   - first: The first position's row in the hidden state.
  ///   - length: The tokens of a sequence; its last position predicts nothing.
  /// - Returns: The divergences and their slopes; zero where nothing is predicted.
  func pull(on logits: Matrix<Float>, from first: Int, length: Int) -> Pull {
    var own = HeadSlice()
    head.project(hidden.selecting(rows: first..<first + logits.rows), in: &own)
    let (teacher, width) = (own.logits, logits.columns)
    precondition(teacher.columns == width, "one vocabulary")
    let rows: [Pull] = concurrentMap(count: logits.rows) { row in
      guard (first + row + 1) % length != 0 else {
        return Pull(divergences: [0], slopes: [Float](repeating: 0, count: width))
      }
      let range = row * width..<(row + 1) * width
      return divergence(Array(logits.storage[range]), from: Array(teacher.storage[range]))
    }
    return Pull(
      divergences: rows.flatMap(\.divergences),
      slopes: rows.flatMap(\.slopes)
    )
  }

  /// The divergence of one position and its slopes.
  private func divergence(_ student: [Float], from teacher: [Float]) -> Pull {
    let (own, ownLog) = probabilities(student)
    let (wanted, wantedLog) = probabilities(teacher)
    var slopes = own
    var mean = 0.0
    for index in slopes.indices {
      mean += Double(wanted[index]) * (Double(teacher[index]) - Double(student[index]))
      slopes[index] = Float(weight) * (own[index] - wanted[index])
    }
    return Pull(divergences: [mean + ownLog - wantedLog], slopes: slopes)
  }

  /// The softmax of some logits, and the logarithm of the sum of their exponentials.
  private func probabilities(_ logits: [Float]) -> (shares: [Float], logSum: Double) {
    var shares = logits
    var span = shares.mutableSpan
    let range = 0..<logits.count
    let greatest = maximum(span, range)
    let sum = exponentiate(&span, range, minus: greatest)
    scale(&span, range, by: Float(1 / sum))
    return (shares, Double(greatest) + Double.log(sum))
  }
}
