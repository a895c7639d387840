import Report

/// The size that a pruned model may have at most, or the time that it may take, as the written
/// checkpoint has it.
public enum SizeTarget: Sendable, Equatable {
  /// The parameters of the whole model: embeddings, norms and biases too; tied ones count once.
  case parameters(Int)
  /// The bytes of the weight files.
  case bytes(Int)
  /// The bytes of the keys and values that one token leaves in the cache, in the checkpoint's
  /// element type.
  case keyValueBytesPerToken(Int)
  /// The time for a prompt, as a timing table predicts it: that of the model before pruning over
  /// this factor, which is above 1.
  case speedup(Double)

  /// The most that is left.
  ///
  /// - Parameter whole: What is counted of the model before pruning.
  /// - Returns: The bound, in the unit of what is counted.
  func most(of whole: Double) -> Double {
    switch self {
    case .parameters(let most), .bytes(let most), .keyValueBytesPerToken(let most): Double(most)
    // Next below, so that no rounding makes the quotient fall short of the factor.
    case .speedup(let factor): (whole / factor).nextDown
    }
  }

  /// What is counted, as messages say it.
  var name: String {
    switch self {
    case .parameters: "parameters"
    case .bytes: "bytes of weight files"
    case .keyValueBytesPerToken: "bytes of keys and values per token"
    case .speedup: "seconds for a prompt"
    }
  }
}

extension SizeTarget: CustomStringConvertible {
  /// The bound with its unit: `at most 1.2 B parameters`.
  public var description: String {
    switch self {
    case .parameters(let most): "at most \(Quantity.count(most)) parameters"
    case .bytes(let most): "at most \(Quantity.bytes(most)) of weight files"
    case .keyValueBytesPerToken(let most):
      "at most \(Quantity.bytes(most)) of keys and values per token"
    case .speedup(let factor): "a prompt at least \(factor) times as fast"
    }
  }
}

/// A number of parameters as a person writes it: `1.2B`, `350M`, `1200000`.
public struct ParameterCount: Sendable, Equatable {
  /// The whole number; what is left of a fraction is cut off.
  public let value: Int

  /// Reads a number with one of the suffixes K, M, B (a thousand, a million, a billion) or none.
  ///
  /// - Returns: Nil for anything else, for nothing, and for more than `Int` holds.
  public init?(_ text: String) {
    let units = [("K", 1000), ("M", 1_000_000), ("B", 1_000_000_000), ("", 1)]
    guard let value = positiveNumber(text, units: units) else { return nil }
    self.value = value
  }
}

/// A number of bytes as a person writes it: `2.5GB`, `8KiB`, `4096`.
public struct ByteCount: Sendable, Equatable {
  /// The whole number; what is left of a fraction is cut off.
  public let value: Int

  /// Reads a number with one of the suffixes KB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB
  /// (powers of 1024), B, or none.
  ///
  /// - Returns: Nil for anything else, for nothing, and for more than `Int` holds.
  public init?(_ text: String) {
    let units = [
      ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("KB", 1000),
      ("kB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000), ("B", 1),
      ("", 1),
    ]
    guard let value = positiveNumber(text, units: units) else { return nil }
    self.value = value
  }
}

/// Reads a positive decimal number with the first suffix that fits, exactly.
private func positiveNumber(_ text: String, units: [(suffix: String, scale: Int)]) -> Int? {
  guard let unit = units.first(where: { text.hasSuffix($0.suffix) }) else { return nil }
  let parts = text.dropLast(unit.suffix.count).split(
    separator: ".",
    omittingEmptySubsequences: false
  )
  guard 1...2 ~= parts.count, parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy(isDigit) }),
    var value = Int(parts[0]).map({ $0.multipliedReportingOverflow(by: unit.scale) })
  else { return nil }
  if parts.count == 2 {
    // Twelve digits of a fraction are exact in what follows, and more mean nothing.
    let digits = parts[1].prefix(12)
    let divisor = digits.reduce(1) { power, _ in power * 10 }
    let product = (Int(digits) ?? 0).multipliedFullWidth(by: unit.scale)
    let fraction = divisor.dividingFullWidth(product).quotient
    let (sum, overflows) = value.partialValue.addingReportingOverflow(fraction)
    value = (sum, value.overflow || overflows)
  }
  return value.overflow || value.partialValue == 0 ? nil : value.partialValue
}

private func isDigit(_ character: Character) -> Bool { ("0"..."9").contains(character) }
