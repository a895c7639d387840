/// A table of text with aligned columns that fits a given width.
///
/// Where the width is too small, elastic columns are shortened first, then the least important
/// columns are left out and named below the table.
package struct TextTable: Sendable, Equatable {
  /// At which side of its column a text stands.
  package enum Alignment: Sendable { case left, right }

  /// How a row looks on a terminal.
  package enum Emphasis: Sendable { case plain, bold, dim }

  /// A column.
  package struct Column: Sendable, Equatable {
    /// The text above it.
    package var heading: String
    /// At which side its texts stand.
    package var alignment: Alignment
    /// Down to how many columns its texts may be shortened; none: never.
    package var shortestWidth: Int?
    /// Columns of lower importance are left out first; 0 and above.
    package var importance: Int
    /// Whether its texts get the colour of figures, as bars do.
    package var isAccented: Bool

    /// A column; numbers stand at the right.
    ///
    /// - Parameters:
    ///   - heading: The text above it.
    ///   - alignment: At which side its texts stand.
    ///   - shortestWidth: Down to how many columns its texts may be shortened.
    ///   - importance: Columns of lower importance are left out first.
    ///   - isAccented: Whether its texts get the colour of figures.
    package init(
      _ heading: String,
      _ alignment: Alignment = .right,
      shortestWidth: Int? = nil,
      importance: Int = 10,
      isAccented: Bool = false
    ) {
      self.heading = heading
      self.alignment = alignment
      self.shortestWidth = shortestWidth
      self.importance = importance
      self.isAccented = isAccented
    }
  }

  enum Row: Sendable, Equatable {
    case cells([String], Emphasis)
    case rule
  }

  /// The line above the table.
  package var title: String?
  let columns: [Column]
  private(set) var rows: [Row] = []

  /// A table without rows.
  package init(title: String? = nil, columns: [Column]) {
    self.title = title
    self.columns = columns
  }

  /// Adds a row.
  ///
  /// - Parameters:
  ///   - cells: One text for each column; control characters in them are replaced.
  ///   - emphasis: How the row looks on a terminal.
  package mutating func add(_ cells: [String], _ emphasis: Emphasis = .plain) {
    precondition(cells.count == columns.count, "a row has one cell for each column")
    rows.append(.cells(cells.map(\.printable), emphasis))
  }

  /// Adds a line across the table.
  package mutating func addRule() { rows.append(.rule) }
}
