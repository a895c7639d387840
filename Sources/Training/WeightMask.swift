import LinearAlgebra
package import Pruning

/// Which entries of a matrix are kept; those that were zero when the mask was made are pruned, and
/// stay so whatever becomes of the others.
package struct WeightMask: Equatable, Sendable {
  /// The number of entries that one thread takes at a time; whole words of the set.
  private static let piece = 1 << 14

  /// The kept entries, row by row.
  package let kept: BitSet

  /// The mask of a matrix as it is.
  ///
  /// - Parameter values: Its entries, row by row.
  package init(of values: [Float]) {
    let words = values.count / 64 + (values.count % 64 == 0 ? 0 : 1)
    let bits: [UInt64] = concurrentMap(count: words) { word in
      var bits: UInt64 = 0
      for index in word * 64..<min(values.count, word * 64 + 64) where values[index] != 0 {
        bits |= 1 << UInt64(index & 63)
      }
      return bits
    }
    kept = BitSet(count: values.count, words: bits) ?? BitSet(count: 0, repeating: false)
  }

  /// The mask of a matrix that nothing was pruned from.
  ///
  /// - Parameter count: The number of its entries.
  package init(keepingAll count: Int) { kept = BitSet(count: count, repeating: true) }

  /// The number of entries that are pruned.
  package var zeros: Int { kept.count - kept.population }

  /// Sets every pruned entry to zero, on all threads.
  ///
  /// - Parameter values: As many numbers as the mask has entries.
  package func apply(to values: inout [Float]) {
    precondition(values.count == kept.count, "one number for each entry")
    guard zeros > 0 else { return }
    let words = kept.words
    concurrentChunks(of: &values, size: Self.piece) { piece, entries in
      let first = piece * Self.piece / 64
      for index in entries.indices {
        let isKept = words[first + index >> 6] >> UInt64(index & 63) & 1 == 1
        entries[index] = isKept ? entries[index] : 0
      }
    }
  }

  /// Refuses a matrix that has a number where an entry was pruned.
  ///
  /// A mask of N of M kept weights is kept with it: zeros are only added.
  ///
  /// - Parameters:
  ///   - values: The entries, row by row.
  ///   - name: The matrix, for the message.
  /// - Throws: ``TrainingError/lostZero(matrix:index:)``.
  package func check(_ values: [Float], name: String) throws(TrainingError) {
    precondition(values.count == kept.count, "one number for each entry")
    for index in values.indices where values[index] != 0 && !kept[index] {
      throw .lostZero(matrix: name, index: index)
    }
  }
}
