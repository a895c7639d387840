import Mustache

/// Text that is HTML or SVG: other text gets in only escaped.
struct Markup: Sendable, Equatable {
  /// The source text.
  private(set) var source: String

  /// Nothing.
  init() { source = "" }

  /// Text to be shown as it is, whatever it holds.
  init(text: String) { source = Self.escaped(text) }

  /// Markup of this program; a literal cannot come from a file.
  init(literal: StaticString) { source = "\(literal)" }

  /// What was put together from markup only.
  private init(joined source: String) { self.source = source }

  /// A template filled with markup.
  ///
  /// - Parameters:
  ///   - template: Its tags have three braces, since the values are escaped already.
  ///   - fields: A value for each tag; a section is shown once for each of its entries.
  init(_ template: MustacheTemplate, _ fields: Fields) {
    source = template.render(fields)
  }

  static func += (left: inout Markup, right: Markup) { left.source += right.source }

  /// One element with its attributes, in their order.
  ///
  /// - Parameters:
  ///   - name: The name of the element.
  ///   - attributes: Names and values; values are escaped.
  ///   - content: What stands inside.
  /// - Returns: The element with its end tag.
  static func element(
    _ name: StaticString,
    _ attributes: KeyValuePairs<StaticString, String> = [:],
    _ content: Markup = Markup()
  ) -> Markup {
    var source = "<\(name)"
    for (key, value) in attributes { source += " \(key)=\"\(escaped(value))\"" }
    return Markup(joined: source + ">\(content.source)</\(name)>")
  }

  /// One element that holds text.
  static func element(
    _ name: StaticString,
    _ attributes: KeyValuePairs<StaticString, String> = [:],
    text: String
  ) -> Markup {
    element(name, attributes, Markup(text: text))
  }

  /// Escapes scalar by scalar: a mark that combines with `<` or a quote must not hide it.
  ///
  /// Control characters, which HTML does not allow, and marks that turn the writing direction are
  /// replaced.
  private static func escaped(_ text: String) -> String {
    var source = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "<": source += "&lt;".unicodeScalars
      case ">": source += "&gt;".unicodeScalars
      case "&": source += "&amp;".unicodeScalars
      case "\"": source += "&quot;".unicodeScalars
      case "'": source += "&#39;".unicodeScalars
      case "\n": source.append(scalar)
      case _ where scalar.steersDisplay: source.append("\u{FFFD}")
      default: source.append(scalar)
      }
    }
    return String(source)
  }
}

extension Array where Element == Markup {
  /// The parts one after the other.
  func joined() -> Markup { reduce(into: Markup()) { $0 += $1 } }
}

/// The values for the tags of a template.
struct Fields: MustacheParent {
  private enum Value {
    case markup(Markup)
    case section([Fields])
  }

  private var values: [String: Value] = [:]

  /// Sets markup for a tag.
  mutating func set(_ name: String, _ markup: Markup) { values[name] = .markup(markup) }

  /// Sets text for a tag; it is escaped.
  mutating func set(_ name: String, text: String) { set(name, Markup(text: text)) }

  /// Sets the entries of a section.
  mutating func set(_ name: String, section: [Fields]) { values[name] = .section(section) }

  init(_ values: [String: Markup] = [:]) {
    self.values = values.mapValues { .markup($0) }
  }

  /// What the template engine asks for.
  func child(named name: String) -> Any? {
    switch values[name] {
    case .markup(let markup): markup.source
    case .section(let entries): entries
    case nil: nil
    }
  }
}
