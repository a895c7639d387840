public import ArgumentParser
public import Depth
public import LLMSurgeon

/// Which blocks go, and when.
struct ChopArguments: ParsableArguments {
  @Option(help: "How many blocks go.")
  var remove: Int?

  @Option(help: "How many blocks stay (instead of --remove).")
  var keep: Int?

  @Option(
    help: ArgumentHelp(
      "Which blocks go, counted from 0, such as 3,5-7 (instead of --remove).",
      valueName: "list"
    )
  )
  var blocks: BlockList?

  @Option(
    help: """
      Which go by their place: input (unless given), output, middle, both, max-gap; the first and \
      the last stay.
      """
  )
  var scheme: PositionScheme?

  @Option(
    help: """
      Steps of ordinary training before the first block goes, at the rate that the course ends with; \
      the optimizer's moments of what stays are kept.
      """
  )
  var stepsBefore: Int = 0

  @Option(help: "Remove one block every so many steps (0: all at once).")
  var every: Int = 0

  /// The removal, for the library.
  var choice: ChopRemoval {
    ChopRemoval(
      remove.map { .remove($0) } ?? keep.map { .keep($0) } ?? .blocks(blocks?.blocks ?? []),
      by: scheme ?? .input,
      stepsBefore: stepsBefore,
      interval: every
    )
  }

  func validate() throws {
    guard [remove != nil, keep != nil, blocks != nil].count(where: { $0 }) == 1 else {
      throw ValidationError("give one of --remove, --keep and --blocks")
    }
    if let remove, remove < 1 { throw ValidationError("--remove is at least 1") }
    if let keep, keep < 2 { throw ValidationError("--keep is at least 2: first and last stay") }
    guard blocks == nil || scheme == nil else {
      throw ValidationError("--blocks says what goes: leave out --scheme")
    }
    for (name, steps) in [("--steps-before", stepsBefore), ("--every", every)]
    where !(0...10_000_000 ~= steps) {
      throw ValidationError("\(name) must be between 0 and 10000000")
    }
  }
}

extension PositionScheme: ExpressibleByArgument {}

extension Query: ExpressibleByArgument {
  /// Reads tokens read and written such as `128+128`.
  public init?(argument: String) { self.init(argument) }
}

/// The two decays of the optimizer's moments.
struct Betas: ExpressibleByArgument {
  let mean: Double
  let square: Double

  /// Reads two numbers such as `0.9,0.95`.
  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count == 2, let mean = Double(parts[0]), let square = Double(parts[1]),
      0..<1 ~= mean, 0..<1 ~= square
    else { return nil }
    (self.mean, self.square) = (mean, square)
  }
}
