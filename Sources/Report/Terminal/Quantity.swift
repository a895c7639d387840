import Foundation

/// Figures as people read them: rounded, with a unit, the same in every language setting.
package enum Quantity {
  /// A size in bytes with decimal prefixes, such as `1.3 GB`.
  package static func bytes(_ count: Int) -> String {
    scaled(count, units: ["B", "kB", "MB", "GB", "TB", "PB", "EB"], exactBelow: 1000)
  }

  /// A count, such as `9,216` or `85.0 M`; exact below ten thousand.
  ///
  /// `B` is a billion, as is usual for parameters.
  package static func count(_ count: Int) -> String {
    scaled(count, units: ["", "k", "M", "B", "T"], exactBelow: 10_000)
  }

  /// A count in full with thousands separated, such as `84,934,656`.
  package static func grouped(_ count: Int) -> String {
    let digits = Array(String(count.magnitude))
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
      text.append(digit)
    }
    return (count < 0 ? "-" : "") + text
  }

  /// A count of things, such as `1 block` or `12 blocks`.
  package static func counted(_ count: Int, _ thing: String) -> String {
    "\(grouped(count)) \(thing)\(count == 1 ? "" : "s")"
  }

  /// A time span, such as `0.42 s`, `12.3 s`, `1 min 12 s` or `2 h 3 min`.
  package static func duration(seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e15 else { return "\(seconds) s" }
    if seconds < 9.995 { return fixed(seconds, decimals: 2) + " s" }
    if seconds < 59.95 { return fixed(seconds, decimals: 1) + " s" }
    let whole = Int(seconds.rounded())
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    let minutes = Int((seconds / 60).rounded())
    return "\(minutes / 60) h \(minutes % 60) min"
  }

  /// A share between 0 and 1 as a percentage, such as `50.0 %`.
  ///
  /// Only nothing is `0.0 %` and only everything is `100.0 %`.
  package static func percent(_ share: Double) -> String {
    let text = fixed(share * 100, decimals: 1)
    if text == "0.0", share > 0 { return "<0.1 %" }
    if text == "100.0", share < 1 { return ">99.9 %" }
    return text + " %"
  }

  /// A loss or a rise in loss, such as `0.0123 nats/token`.
  package static func nats(_ loss: Double) -> String { figure(loss) + " nats/token" }

  /// The perplexity of a mean loss: `exp(loss)` with three digits, such as `61.3`.
  package static func perplexity(ofLoss loss: Double) -> String { figure(exp(loss)) }

  /// A number with few significant digits, such as `4.12`, `0.0123`, `1,234` or `1.2e-5`.
  ///
  /// - Parameters:
  ///   - value: The number.
  ///   - digits: Significant digits of what is neither huge nor tiny, at least 2; digits before
  ///     the point are always shown.
  /// - Returns: The number, `NaN` or infinity as such.
  package static func figure(_ value: Double, digits: Int = 3) -> String {
    guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-∞" : "∞" }
    guard value != 0 else { return "0" }
    let magnitude = abs(value)
    guard magnitude < 1e9, magnitude >= 0.0001 else { return scientific(value) }
    let exponent = decimalExponent(of: magnitude, digits: digits)
    if exponent >= digits - 1 { return grouped(Int(value.rounded())) }
    return fixed(value, decimals: digits - 1 - exponent)
  }

  /// A number that someone chose, with three significant digits at most, such as `0.01`.
  package static func setting(_ value: Double) -> String {
    var text = figure(value)
    guard text.contains("."), !text.contains("e") else { return text }
    while text.last == "0" { text.removeLast() }
    return text.last == "." ? String(text.dropLast()) : text
  }

  /// A number with a fixed count of decimals, correctly rounded.
  package static func fixed(_ value: Double, decimals: Int) -> String {
    let text = String(format: "%.\(max(0, decimals))f", value)
    // A zero that was rounded to has no sign.
    return text.hasPrefix("-") && !text.contains { ("1"..."9").contains($0) }
      ? String(text.dropFirst()) : text
  }

  /// The exponent of ten that a positive number has when written with so many digits.
  private static func decimalExponent(of magnitude: Double, digits: Int) -> Int {
    let text = String(format: "%.\(digits - 1)e", magnitude)
    return text.split(separator: "e").last.flatMap { Int($0) } ?? 0
  }

  private static func scientific(_ value: Double) -> String {
    let parts = String(format: "%.1e", value).split(separator: "e")
    return parts[0] + "e" + String(Int(parts[1]) ?? 0)
  }

  private static func scaled(_ count: Int, units: [String], exactBelow limit: Int) -> String {
    func text(_ number: String, _ unit: String) -> String {
      unit.isEmpty ? number : number + " " + unit
    }
    guard count.magnitude >= limit else { return text(grouped(count), units[0]) }
    var value = Double(count) / 1000
    var unit = 1
    while abs(value) >= 999.5, unit + 1 < units.count {
      value /= 1000
      unit += 1
    }
    return text(fixed(value, decimals: abs(value) < 99.95 ? 1 : 0), units[unit])
  }
}

/// Decimals for a column of figures, so that its largest has four digits.
package struct DecimalColumn: Sendable, Equatable {
  /// Digits after the point.
  package let decimals: Int

  /// The decimals that suit these values.
  package init(_ values: some Sequence<Double>) {
    let largest = values.lazy.filter(\.isFinite).map(abs).max() ?? 0
    decimals = largest > 0 ? min(9, max(1, 3 - Int(log10(largest).rounded(.down)))) : 1
  }

  /// The value with these decimals; a value that is too small for them shows as `<0.001`.
  package func text(_ value: Double) -> String {
    let text = Quantity.fixed(value, decimals: decimals)
    let isRoundedToZero = value > 0 && !text.contains { ("1"..."9").contains($0) }
    guard isRoundedToZero else { return value == 0 ? "0" : text }
    return "<0." + String(repeating: "0", count: decimals - 1) + "1"
  }
}
