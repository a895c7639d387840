/// What is removed from several layers of a block at once.
public enum UnitKind: String, CaseIterable, Sendable {
  /// Columns of the down projection with the rows of up and gate that feed them.
  case neurons
  /// Columns of the output projection with the rows of query, key and value behind them.
  case heads
}

/// A part of a block that is made of equal units: the neurons of a feed-forward part, or the heads
/// of an attention part.
///
/// A unit reaches the rest of the model through the columns of one layer, the reader, alone. Without
/// these columns the unit's rows in the other layers, the writers, do nothing. Unit `u` is a run of
/// consecutive columns of the reader and of consecutive rows of each writer.
package struct UnitPart: Equatable, Sendable {
  /// A layer whose rows make up the units.
  package struct Writer: Equatable, Sendable {
    /// The layer's place in the store.
    package let layer: Int
    /// The rows of one unit.
    package let rowsPerUnit: Int
    /// Whether the unit's own output is zero when its rows here, biases included, are zero.
    package let silences: Bool

    /// Describes a writer.
    package init(layer: Int, rowsPerUnit: Int, silences: Bool) {
      self.layer = layer
      self.rowsPerUnit = rowsPerUnit
      self.silences = silences
    }

    /// The rows of one unit.
    package func rows(of unit: Int) -> Range<Int> {
      unit * rowsPerUnit..<(unit + 1) * rowsPerUnit
    }
  }

  /// What the units are.
  package let kind: UnitKind
  /// The number of the block.
  package let block: Int
  /// The number of units, removed or not.
  package let count: Int
  /// The layer whose columns make up the units, as a place in the store.
  package let reader: Int
  /// The columns of one unit.
  package let columnsPerUnit: Int
  /// The layers whose rows make up the units.
  package let writers: [Writer]
  /// The query heads and the key and value heads that go with a unit; none for neurons.
  package let heads: (query: Int, keyValue: Int)
  /// Units are numbered set after set, in so many sets of the same size that lose units in turns.
  ///
  /// One set but where query heads are removed one from every group.
  package let sets: Int

  /// Describes a part.
  package init(
    kind: UnitKind,
    block: Int,
    count: Int,
    reader: (layer: Int, columnsPerUnit: Int),
    writers: [Writer],
    heads: (query: Int, keyValue: Int) = (0, 0),
    sets: Int = 1
  ) {
    precondition(count >= 0 && sets >= 1 && count % sets == 0, "the sets are of the same size")
    self.kind = kind
    self.block = block
    self.count = count
    self.reader = reader.layer
    columnsPerUnit = reader.columnsPerUnit
    self.writers = writers
    self.heads = heads
    self.sets = sets
  }

  /// The reader's columns of one unit.
  package func columns(of unit: Int) -> Range<Int> {
    unit * columnsPerUnit..<(unit + 1) * columnsPerUnit
  }

  /// The set that a unit is in.
  package func set(of unit: Int) -> Int { unit / max(1, count / sets) }

  package static func == (left: UnitPart, right: UnitPart) -> Bool {
    left.kind == right.kind && left.block == right.block && left.count == right.count
      && left.reader == right.reader && left.columnsPerUnit == right.columnsPerUnit
      && left.writers == right.writers && left.heads == right.heads && left.sets == right.sets
  }
}
