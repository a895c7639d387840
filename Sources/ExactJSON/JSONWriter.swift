/// Writes JSON documents: members in their order, nothing escaped that need not be.
package enum JSONWriter {
  /// The document in UTF-8.
  ///
  /// - Parameters:
  ///   - value: The document.
  ///   - indent: Spaces for each level, and a final newline; everything on one line without.
  /// - Returns: The document's bytes.
  package static func write(_ value: JSONValue, indent: Int? = nil) -> [UInt8] {
    var output: [UInt8] = []
    append(value, level: 0, indent: indent, to: &output)
    if indent != nil { output.append(UInt8(ascii: "\n")) }
    return output
  }

  private static func append(
    _ value: JSONValue,
    level: Int,
    indent: Int?,
    to output: inout [UInt8]
  ) {
    switch value {
    case .null: output += "null".utf8
    case .bool(let flag): output += (flag ? "true" : "false").utf8
    case .number(let number): output += number.text.utf8
    case .string(let text): append(text, to: &output)
    case .array(let elements):
      appendList(elements, brackets: "[]", level: level, indent: indent, to: &output) {
        append($0, level: level + 1, indent: indent, to: &$1)
      }
    case .object(let object):
      appendList(object.members, brackets: "{}", level: level, indent: indent, to: &output) {
        append($0.key, to: &$1)
        $1 += (indent == nil ? ":" : ": ").utf8
        append($0.value, level: level + 1, indent: indent, to: &$1)
      }
    }
  }

  private static func appendList<Element>(
    _ elements: [Element],
    brackets: String,
    level: Int,
    indent: Int?,
    to output: inout [UInt8],
    _ appendElement: (Element, inout [UInt8]) -> Void
  ) {
    let (open, close) = (brackets.utf8.prefix(1), brackets.utf8.suffix(1))
    func breakLine(_ level: Int, _ output: inout [UInt8]) {
      guard let indent, !elements.isEmpty else { return }
      output.append(UInt8(ascii: "\n"))
      output += [UInt8](repeating: UInt8(ascii: " "), count: indent * level)
    }
    output += open
    for (index, element) in elements.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      breakLine(level + 1, &output)
      appendElement(element, &output)
    }
    breakLine(level, &output)
    output += close
  }

  private static func append(_ text: JSONText, to output: inout [UInt8]) {
    output.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): output += #"\""#.utf8
      case UInt8(ascii: "\\"): output += #"\\"#.utf8
      case 0x0A: output += #"\n"#.utf8
      case 0x0D: output += #"\r"#.utf8
      case 0x09: output += #"\t"#.utf8
      case 0..<0x20:
        let digits = String(byte, radix: 16)
        output += (#"\u00"# + (digits.count < 2 ? "0" : "") + digits).utf8
      default: output.append(byte)
      }
    }
    output.append(UInt8(ascii: "\""))
  }
}
