import ArgumentParser
import LLMSurgeon
import Pruning

/// What the widths of the remaining model have to obey.
struct WidthOptions: ParsableArguments {
  @Option(
    help: """
      What a head is where query heads share key and value heads: a group with its key and value \
      head (group, unless given), or one query head of every group (query).
      """
  )
  var headUnit: HeadUnit?

  @Option(help: "Each block keeps a multiple of this many neurons: 32, 64, 128 or 256.")
  var multipleOf: Int?

  @Option(help: "Each block keeps a multiple of this many key and value heads.")
  var headMultipleOf: Int?

  @Option(help: "Leave this many blocks at the start untouched (with --allocation global).")
  var keepFirst = 0

  @Option(help: "Leave this many blocks at the end untouched (with --allocation global).")
  var keepLast = 0

  @Option(help: "The largest share of its neurons or heads that a block loses, such as 0.6.")
  var maxShare: Double?

  /// The constraints, for the library.
  var constraints: UnitConstraints {
    UnitConstraints(
      neuronMultiple: multipleOf ?? 1,
      headMultiple: headMultipleOf ?? 1,
      keepFirst: keepFirst,
      keepLast: keepLast,
      largestShare: maxShare ?? 1
    )
  }

  /// Whether some blocks lose nothing.
  var keepsBlocks: Bool { keepFirst > 0 || keepLast > 0 }

  /// The first option given that is about neurons and heads alone.
  var firstOfUnits: String? {
    OptionName.first(given: [
      ("--head-unit", headUnit != nil), ("--multiple-of", multipleOf != nil),
      ("--head-multiple-of", headMultipleOf != nil), ("--max-share", maxShare != nil),
    ])
  }

  /// Whether any of them is given.
  var isGiven: Bool { firstOfUnits != nil || keepsBlocks }

  /// Refuses options about units that are not removed.
  func check(_ kinds: Set<UnitKind>) throws {
    guard multipleOf == nil || kinds.contains(.neurons) else {
      throw ValidationError(
        "--multiple-of counts neurons: leave it out, or give --structure neurons or neurons,heads"
      )
    }
    guard headMultipleOf == nil && headUnit == nil || kinds.contains(.heads) else {
      throw ValidationError(
        """
        --head-multiple-of and --head-unit speak of heads: leave them out, or give --structure \
        heads or neurons,heads
        """
      )
    }
  }

  func validate() throws {
    if let multipleOf, ![32, 64, 128, 256].contains(multipleOf) {
      throw ValidationError("--multiple-of is 32, 64, 128 or 256")
    }
    if let headMultipleOf, headMultipleOf < 1 {
      throw ValidationError("--head-multiple-of is at least 1")
    }
    guard keepFirst >= 0, keepLast >= 0 else {
      throw ValidationError("--keep-first and --keep-last are not negative")
    }
    if let maxShare, !(maxShare > 0 && maxShare <= 1) {
      throw ValidationError("--max-share is above 0 and at most 1")
    }
  }
}
