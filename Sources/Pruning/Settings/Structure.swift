/// What is removed together.
public enum Structure: Hashable, Sendable {
  /// Single weights.
  case element
  /// All but `kept` of each `of` consecutive weights along the inputs.
  case nm(kept: Int, of: Int)
  /// Whole rows and whole columns, whichever are cheaper.
  case rowsColumns
  /// Whole rows.
  case rows
  /// Whole columns.
  case columns
  /// Neurons of feed-forward parts, heads of attention parts, or both.
  case units(Set<UnitKind>)

  /// The most weights that a block may have.
  package static let largestBlock = 16

  /// Reads `element`, `rows-columns`, `rows`, `columns`, `neurons`, `heads`, `neurons,heads`, or
  /// `N:M` with 1 ≤ N < M ≤ 16.
  ///
  /// - Throws: ``PruningError/unknownStructure(_:)``.
  package init(_ text: String) throws(PruningError) {
    switch text {
    case "element": self = .element
    case "rows-columns": self = .rowsColumns
    case "rows": self = .rows
    case "columns": self = .columns
    default:
      if let kinds = Self.kinds(text) {
        self = .units(kinds)
        return
      }
      let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
      guard parts.count == 2, let kept = parts[0], let size = parts[1],
        1 <= kept, kept < size, size <= Self.largestBlock, text == "\(kept):\(size)"
      else { throw .unknownStructure(text) }
      self = .nm(kept: kept, of: size)
    }
  }

  /// The kinds of units that a text lists in any order, each once.
  private static func kinds(_ text: String) -> Set<UnitKind>? {
    let words = text.split(separator: ",", omittingEmptySubsequences: false)
    let kinds = words.compactMap { UnitKind(rawValue: String($0)) }
    guard kinds.count == words.count, Set(kinds).count == kinds.count else { return nil }
    return Set(kinds)
  }

  /// Whether whole rows or columns are removed.
  package var isStructured: Bool {
    switch self {
    case .rowsColumns, .rows, .columns, .units: true
    case .element, .nm: false
    }
  }

  /// Whether removed weights can come back for kept ones: where single weights are removed.
  package var isExchangeable: Bool { !isStructured }

  /// Whether neurons or heads are removed.
  public var isUnits: Bool { if case .units = self { true } else { false } }

  /// The largest share of the weights that can be removed.
  public var largestShare: Double {
    guard case .nm(let kept, let size) = self else { return 1 }
    return Double(size - kept) / Double(size)
  }
}

extension Structure: CustomStringConvertible {
  /// The text that reads back as the same structure.
  public var description: String {
    switch self {
    case .element: "element"
    case .nm(let kept, let size): "\(kept):\(size)"
    case .rowsColumns: "rows-columns"
    case .rows: "rows"
    case .columns: "columns"
    case .units(let kinds):
      UnitKind.allCases.filter(kinds.contains).map(\.rawValue).joined(separator: ",")
    }
  }
}
