package import LinearAlgebra

/// What is removed from one layer: whole rows, whole columns, single weights.
///
/// Biases are no part of it: a bias goes with its row and never alone.
package struct LayerMask: Hashable, Sendable {
  /// The number of rows of the weights.
  package let outputs: Int
  /// The number of columns of the weights, without the bias.
  package let inputs: Int
  /// The rows that are not removed as a whole.
  package private(set) var keptRows: BitSet
  /// The columns that are not removed as a whole.
  package private(set) var keptColumns: BitSet
  /// The weights that are kept, bit `row * inputs + column`.
  ///
  /// Nothing while only whole rows and columns are removed. Weights of removed rows and columns are
  /// not in it.
  package private(set) var keptElements: BitSet?

  /// A mask that removes nothing.
  package init(outputs: Int, inputs: Int) {
    precondition(outputs >= 0 && inputs >= 0, "a layer has no negative extent")
    self.outputs = outputs
    self.inputs = inputs
    keptRows = BitSet(count: outputs, repeating: true)
    keptColumns = BitSet(count: inputs, repeating: true)
    keptElements = nil
  }

  /// A mask that was kept.
  ///
  /// - Parameters:
  ///   - keptRows: The rows that are not removed as a whole.
  ///   - keptColumns: The columns that are not removed as a whole.
  ///   - keptElements: The weights that are kept, if account is kept of single ones.
  init(keptRows: BitSet, keptColumns: BitSet, keptElements: BitSet?) {
    (outputs, inputs) = (keptRows.count, keptColumns.count)
    self.keptRows = keptRows
    self.keptColumns = keptColumns
    self.keptElements = keptElements
    if let keptElements {
      precondition(keptElements.count == outputs * inputs, "the shapes agree")
    }
  }

  /// The mask of the zeros that are already in the weights.
  ///
  /// - Parameters:
  ///   - weights: Shape `[outputs, inputs (+1)]`.
  ///   - hasBias: Whether the last column is the bias; a row is removed only if its bias is zero.
  ///   - single: The share of all weights below which zeros outside of zero rows and columns are values
  ///     like others; zero to count each as removed.
  package init(zerosOf weights: Matrix<Float>, hasBias: Bool, single: Double = 0) {
    let inputs = weights.columns - (hasBias ? 1 : 0)
    self.init(outputs: weights.rows, inputs: inputs)
    var used = BitSet(count: inputs, repeating: false)
    var dead: [Int] = []
    for row in 0..<outputs {
      var isZero = !hasBias || weights[row, inputs] == 0
      for column in 0..<inputs where weights[row, column] != 0 {
        used[column] = true
        isZero = false
      }
      if isZero { dead.append(row) }
    }
    remove(rows: dead)
    remove(columns: (0..<inputs).filter { !used[$0] })
    func isSingleZero(_ row: Int, _ column: Int) -> Bool {
      used[column] && weights[row, column] == 0
    }
    func singleZeros(inRow row: Int) -> Int { (0..<inputs).count { isSingleZero(row, $0) } }
    let rows = keptRows.indices
    if single > 0 {
      let zeros = rows.reduce(0) { $0 + singleZeros(inRow: $1) }
      guard Double(zeros) >= single * Double(weightCount) else { return }
    }
    for row in rows {
      for column in 0..<inputs where isSingleZero(row, column) {
        removeElement(row: row, column: column)
      }
    }
  }

  /// The number of weights, removed or not, without biases.
  package var weightCount: Int { outputs * inputs }

  /// The number of weights that are kept, without biases.
  package var keptWeights: Int {
    keptElements?.population ?? keptRows.population * keptColumns.population
  }

  /// The number of weights that are removed, without biases.
  package var removedWeights: Int { weightCount - keptWeights }

  /// Whether only whole rows and columns are removed.
  package var isStructured: Bool { keptElements == nil }

  /// Whether a weight is kept.
  package func keeps(row: Int, column: Int) -> Bool {
    if let keptElements { return keptElements[row * inputs + column] }
    return keptRows[row] && keptColumns[column]
  }

  /// Whether each weight of a row is kept; faster than asking for one at a time.
  package func keptFlags(row: Int) -> [Bool] {
    var flags = [Bool](repeating: false, count: inputs)
    guard keptRows[row] else { return flags }
    let words = (keptElements ?? keptColumns).words
    let start = keptElements == nil ? 0 : row * inputs
    for column in 0..<inputs {
      let bit = start + column
      flags[column] = words[bit >> 6] >> UInt64(bit & 63) & 1 == 1
    }
    return flags
  }

  /// Removes whole rows, with their biases.
  package mutating func remove(rows: some Sequence<Int>) {
    for row in rows {
      keptRows[row] = false
      guard keptElements != nil else { continue }
      for column in 0..<inputs { keptElements?[row * inputs + column] = false }
    }
  }

  /// Removes whole columns.
  package mutating func remove(columns: some Sequence<Int>) {
    for column in columns {
      keptColumns[column] = false
      guard keptElements != nil else { continue }
      for row in 0..<outputs { keptElements?[row * inputs + column] = false }
    }
  }

  /// Removes one weight.
  package mutating func removeElement(row: Int, column: Int) {
    listElements()
    keptElements?[row * inputs + column] = false
  }

  /// Removes one weight, or brings one back whose row and column are not removed as a whole.
  package mutating func set(row: Int, column: Int, isKept: Bool) {
    precondition(!isKept || (keptRows[row] && keptColumns[column]), "its row and column are there")
    listElements()
    keptElements?[row * inputs + column] = isKept
  }

  /// Adds what another mask of the same shape removes.
  package mutating func formUnion(_ other: LayerMask) {
    precondition(outputs == other.outputs && inputs == other.inputs, "the shapes agree")
    remove(rows: (0..<outputs).filter { !other.keptRows[$0] && keptRows[$0] })
    remove(columns: (0..<inputs).filter { !other.keptColumns[$0] && keptColumns[$0] })
    guard let elements = other.keptElements else { return }
    listElements()
    keptElements?.formIntersection(elements)
  }

  /// Starts to keep account of single weights.
  package mutating func listElements() {
    guard keptElements == nil else { return }
    var elements = BitSet(count: outputs * inputs, repeating: false)
    let columns = keptColumns.indices
    for row in keptRows.indices {
      for column in columns { elements[row * inputs + column] = true }
    }
    keptElements = elements
  }

  /// Sets the removed weights, and the biases of removed rows, to zero.
  ///
  /// - Parameter weights: Shape `[outputs, inputs (+1)]`.
  package func apply(to weights: inout Matrix<Float>) {
    precondition(weights.rows == outputs && weights.columns >= inputs, "the shapes agree")
    let width = weights.columns
    guard width > 0 else { return }
    concurrentChunks(of: &weights.storage, size: width) { row, entries in
      guard keptRows[row] else {
        for column in 0..<width { entries[column] = 0 }
        return
      }
      let flags = keptFlags(row: row)
      for column in 0..<inputs where !flags[column] { entries[column] = 0 }
    }
  }
}
