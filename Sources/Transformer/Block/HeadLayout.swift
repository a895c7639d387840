import LinearAlgebra

/// How sequences and heads lie in memory: a row per token outside attention, a matrix per head in it.
package struct HeadLayout: Sendable {
  let sequences: Int
  let length: Int
  let headSize: Int
  /// The number of rows that one thread takes at a time.
  let piece: Int

  /// Some sequences of one length.
  ///
  /// - Parameters:
  ///   - sequences: Their number.
  ///   - length: The tokens of each.
  ///   - headSize: The numbers of a token in one head.
  ///   - piece: The number of rows that one thread takes at a time.
  package init(sequences: Int, length: Int, headSize: Int, piece: Int) {
    self.sequences = sequences
    self.length = length
    self.headSize = headSize
    self.piece = piece
  }

  /// Copies a row per token into a matrix `[length, headSize]` per sequence and head, rotated where
  /// there is a table.
  ///
  /// - Parameters:
  ///   - rows: Shape `[sequences · length, heads · headSize]`.
  ///   - rotary: The angles, for queries and keys of models that have them.
  ///   - heads: Shape `[sequences · heads · length, headSize]`.
  func split(_ rows: Matrix<Float>, rotary: RotaryTable?, into heads: inout Matrix<Float>) {
    let (width, length, headSize) = (rows.columns, length, headSize)
    let perSequence = width / headSize
    precondition(rows.storage.count == heads.storage.count, "one number for each number")
    concurrentChunks(of: &heads.storage, size: length * headSize) { index, head in
      let (sequence, number) = index.quotientAndRemainder(dividingBy: perSequence)
      let source = rows.storage.span
      for position in 0..<length {
        let start = (sequence * length + position) * width + number * headSize
        copy(source.extracting(start..<start + headSize), to: &head, at: position * headSize)
        rotary?.rotate(
          &head,
          from: position * headSize,
          position: position,
          isInverse: false
        )
      }
    }
  }

  /// The reverse of ``split(_:rotary:into:)``, which rotates back: right for gradients.
  ///
  /// - Parameters:
  ///   - heads: Shape `[sequences · heads · slots · length, headSize]`.
  ///   - slot: Which of the matrices that are kept for each head, of how many.
  ///   - rotary: The angles.
  ///   - rows: Shape `[sequences · length, heads · headSize]`.
  func merge(
    _ heads: Matrix<Float>,
    slot: (index: Int, of: Int) = (0, 1),
    rotary: RotaryTable?,
    into rows: inout Matrix<Float>
  ) {
    let (width, length, headSize) = (rows.columns, length, headSize)
    let perSequence = width / headSize
    precondition(rows.storage.count * slot.of == heads.storage.count, "one number for each number")
    concurrentChunks(of: &rows.storage, size: piece * width) { index, target in
      let source = heads.storage.span
      for row in 0..<target.count / width {
        let (sequence, position) = (index * piece + row).quotientAndRemainder(dividingBy: length)
        for number in 0..<perSequence {
          let matrix = (sequence * perSequence + number) * slot.of + slot.index
          let start = (matrix * length + position) * headSize
          let place = row * width + number * headSize
          copy(source.extracting(start..<start + headSize), to: &target, at: place)
          rotary?.rotate(&target, from: place, position: position, isInverse: true)
        }
      }
    }
  }
}
