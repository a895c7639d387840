/// Parts that pages share.
enum Page {
  /// A whole page.
  ///
  /// - Parameters:
  ///   - title: The title of the page.
  ///   - body: What stands in it.
  ///   - footer: One line below it.
  /// - Returns: The page in UTF-8.
  static func render(title: String, body: Markup, footer: String) -> [UInt8] {
    let fields = Fields([
      "title": Markup(text: title), "style": PageStyle.sheet, "body": body,
      "footer": Markup(text: footer),
    ])
    return Array(Markup(PageTemplate.page, fields).source.utf8)
  }

  /// A heading of a part of a page.
  static func heading(_ text: String) -> Markup {
    var heading = Markup.element("h2", text: text)
    heading += Markup(literal: "\n")
    return heading
  }

  /// A table whose first column names the rows.
  static func table(_ table: HTMLTable) -> Markup {
    var fields = Fields([
      "label": Markup(text: table.label),
      "height": Markup(text: table.rows.count > HTMLTable.tallRows ? "tall" : ""),
    ])
    fields.set(
      "headings",
      section: table.columns.map {
        Fields(["kind": Markup(text: $0.styleClass), "text": Markup(text: $0.heading)])
      }
    )
    fields.set("rows", section: table.rows.map { row(of: table, $0.cells, $0.isStrong) })
    return Markup(PageTemplate.table, fields)
  }

  private static func row(of table: HTMLTable, _ cells: [String], _ isStrong: Bool) -> Fields {
    var row = Fields(["emphasis": Markup(text: isStrong ? "strong" : "")])
    let fields = zip(table.columns, cells).enumerated().map { index, entry in
      let style = entry.0.styleClass
      let cell =
        index == 0
        ? Markup.element("th", ["scope": "row", "class": style], text: entry.1)
        : Markup.element("td", ["class": style], text: entry.1)
      return Fields(["cell": cell])
    }
    row.set("cells", section: fields)
    return row
  }

  /// A list of named values.
  static func definitions(_ entries: [(term: String, value: String)]) -> Markup {
    var fields = Fields()
    fields.set(
      "entries",
      section: entries.map {
        Fields(["term": Markup(text: $0.term), "value": Markup(text: $0.value)])
      }
    )
    return Markup(PageTemplate.definitions, fields)
  }

  /// A list of sentences.
  static func list(_ entries: [String]) -> Markup {
    var fields = Fields()
    fields.set("entries", section: entries.map { Fields(["text": Markup(text: $0)]) })
    return Markup(PageTemplate.list, fields)
  }
}

/// A table for a page.
struct HTMLTable {
  /// How the texts of a column are set.
  enum Column {
    case name(String)
    case text(String)
    case number(String)

    var heading: String {
      switch self {
      case .name(let heading), .text(let heading), .number(let heading): heading
      }
    }

    var styleClass: String {
      switch self {
      case .name: "text name"
      case .text: "text"
      case .number: ""
      }
    }
  }

  /// More rows than this scroll in a frame of their own.
  static let tallRows = 20

  /// What the table shows, for those who do not see it.
  let label: String
  let columns: [Column]
  private(set) var rows: [(cells: [String], isStrong: Bool)] = []

  init(label: String, columns: [Column]) {
    self.label = label
    self.columns = columns
  }

  mutating func add(_ cells: [String], isStrong: Bool = false) {
    precondition(cells.count == columns.count, "a row has one cell for each column")
    rows.append((cells, isStrong))
  }
}
