import Report
import Testing

@Suite("Text tables")
struct TextTableTests {
  /// A table with a name, an important and an unimportant number.
  private func example(bar: String = "") -> TextTable {
    var table = TextTable(
      title: "Fruit",
      columns: [
        .init("name", .left, shortestWidth: 8), .init("count", importance: 20),
        .init("weight", importance: 1), .init("", .left, importance: 0, isAccented: true),
      ]
    )
    table.add(["apple", "12", "1.5 kg", bar])
    table.addRule()
    table.add(["passion fruit", "3", "80 g", ""], .bold)
    return table
  }

  @Test("columns are aligned and no line ends in spaces")
  func alignment() {
    #expect(
      example().text() == """
        Fruit
        name           count  weight
        ────────────────────────────
        apple             12  1.5 kg
        ────────────────────────────
        passion fruit      3    80 g

        """
    )
  }

  @Test("a narrow table shortens names first")
  func shortened() {
    #expect(
      example().text(style: TerminalStyle(columns: 24)) == """
        Fruit
        name       count  weight
        ────────────────────────
        apple         12  1.5 kg
        ────────────────────────
        pas…fruit      3    80 g

        """
    )
  }

  @Test("a narrower table leaves out the least important column and says so")
  func dropped() {
    #expect(
      example().text(style: TerminalStyle(columns: 20)) == """
        Fruit
        name           count
        ────────────────────
        apple             12
        ────────────────────
        passion fruit      3
        too nar… for: weight

        """
    )
  }

  @Test("no line is longer than the width", arguments: 20...70)
  func width(columns: Int) throws {
    let tables = [
      example().text(style: TerminalStyle(columns: columns)),
      try Example.report(blocks: 2).terminalText(style: TerminalStyle(columns: columns)),
    ]
    for line in tables.flatMap({ $0.split(separator: "\n") }) {
      #expect(String(line).displayWidth <= columns)
    }
  }

  @Test("colours and bars are for terminals only")
  func terminal() {
    let bar = TerminalStyle(isTerminal: true).bar(0.5, width: 3)
    #expect(bar == "█▌")
    #expect(TerminalStyle().bar(0.5, width: 3) == "")
    #expect(example(bar: bar).text(style: TerminalStyle(isTerminal: true)).contains("\u{1B}[36m█▌"))
    #expect(!example(bar: bar).text().contains("\u{1B}"))
  }

  @Test("names cannot steer the terminal")
  func escapes() {
    var table = TextTable(columns: [.init("name", .left)])
    table.add(["red\u{1B}[31m\nnext\u{202E}\u{9B}2J"])
    let text = table.text()
    #expect(text.contains("red\u{FFFD}[31m\u{FFFD}next\u{FFFD}\u{FFFD}2J"))
  }

  @Test("wide characters and marks count as they are shown")
  func displayWidth() {
    #expect("模型".displayWidth == 4)
    #expect("e\u{301}".displayWidth == 1)
    #expect("50 %".displayWidth == 4)
    #expect("50 × 3 → …".displayWidth == 10)
  }
}
