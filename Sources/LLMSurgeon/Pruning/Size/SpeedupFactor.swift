/// A speedup as a person writes it: `1.5x`, `1.5`.
public struct SpeedupFactor: Sendable, Equatable {
  /// How many times as fast; above 1 and at most 1000.
  public let value: Double

  /// Reads a decimal number above 1, with or without an `x` behind it.
  ///
  /// - Returns: Nil for anything else.
  public init?(_ text: String) {
    let digits = text.hasSuffix("x") ? text.dropLast() : Substring(text)
    guard digits.allSatisfy({ ("0"..."9").contains($0) || $0 == "." }), let value = Double(digits),
      value > 1, value <= 1000
    else { return nil }
    self.value = value
  }
}
