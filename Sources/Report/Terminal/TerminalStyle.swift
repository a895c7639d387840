/// What the place that text goes to can show.
package struct TerminalStyle: Sendable, Equatable {
  /// The narrowest width that text is laid out for.
  package static let fewestColumns = 20

  /// Columns; lines get no longer.
  package let columns: Int
  /// Whether a person looks at a terminal: colours and bars are shown.
  package let isTerminal: Bool

  /// A file or pipe of 80 columns, if nothing is said.
  ///
  /// - Parameters:
  ///   - columns: The width; less than ``fewestColumns`` counts as that.
  ///   - isTerminal: Whether colours and bars are shown.
  package init(columns: Int = 80, isTerminal: Bool = false) {
    self.columns = max(Self.fewestColumns, columns)
    self.isTerminal = isTerminal
  }

  /// The text in bold on a terminal, else as it is.
  package func bold(_ text: String) -> String { wrapped(text, code: "1") }

  /// The text in a weaker colour on a terminal, else as it is.
  package func dim(_ text: String) -> String { wrapped(text, code: "2") }

  /// The text in the colour of figures on a terminal, else as it is.
  package func accent(_ text: String) -> String { wrapped(text, code: "36") }

  /// A horizontal bar, or nothing where there is no terminal.
  ///
  /// - Parameters:
  ///   - share: How much of the width it fills, 0 to 1.
  ///   - width: Columns of a full bar.
  /// - Returns: Blocks; any value above 0 gives at least a sliver.
  package func bar(_ share: Double, width: Int) -> String {
    guard isTerminal, share > 0, width > 0 else { return "" }
    let eighths = max(1, Int((min(1, share) * Double(width * 8)).rounded()))
    let partial = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
    return String(repeating: "█", count: eighths / 8) + partial
  }

  private func wrapped(_ text: String, code: String) -> String {
    isTerminal && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}
