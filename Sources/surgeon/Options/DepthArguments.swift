public import ArgumentParser
import Depth
import Foundation
public import LLMSurgeon
import Pruning

/// What is removed: weights within the blocks, or blocks and parts of them whole.
enum RemovedStructure: ExpressibleByArgument {
  case weights(Structure)
  case depth(DepthStructure)

  init?(argument: String) {
    if let structure = DepthStructure(argument) {
      self = .depth(structure)
    } else if let structure = Structure(argument: argument) {
      self = .weights(structure)
    } else {
      return nil
    }
  }

  /// How help shows a default.
  var defaultValueDescription: String {
    switch self {
    case .weights(let structure): "\(structure)"
    case .depth(let structure): "\(structure)"
    }
  }
}

/// Which blocks or parts go, and how many.
struct DepthArguments: ParsableArguments {
  @Option(
    help: """
      By place: input, output, middle, both, max-gap (first and last stay); or those with the lowest \
      score of 'surgeon depth': cosine, angular (of as many consecutive blocks), l1, l2, relative-l1, \
      relative-l2, curvature, logits, loss (unless given), shapley.
      """
  )
  var by: DepthCriterion?

  @Option(help: "How many go (instead of --target).")
  var removeCount: Int?

  @Option(
    help: ArgumentHelp(
      "Which blocks go or lose the part, counted from 0, such as 3,5-7 (instead of --target).",
      valueName: "list"
    )
  )
  var removeList: BlockList?

  @Flag(help: "Remove one at a time and score the others anew.")
  var iterative = false

  @Option(help: "The most walks for --by shapley (32 unless given).")
  var walks: Int?

  @Option(
    help: """
      How what is gone is made up for in the layer before it: none (unless given), bias (where it has \
      one), diagonal, full, rank-N, or merge (blocks into the block before them).
      """
  )
  var emulate: DepthEmulation?

  /// Whether any of them is given.
  var isGiven: Bool {
    by != nil || removeCount != nil || removeList != nil || iterative || walks != nil
      || emulate != nil
  }

  /// Whether scores decide what goes.
  var goesByScore: Bool {
    guard removeList == nil else { return false }
    if case .position? = by { return false }
    return true
  }

  func validate() throws {
    if let removeCount, removeCount < 1 { throw ValidationError("--remove-count is at least 1") }
    if let walks, walks < 2 { throw ValidationError("--walks must be at least 2") }
    guard removeList == nil || by == nil && !iterative else {
      throw ValidationError("--remove-list says what goes: leave out --by and --iterative")
    }
    guard walks == nil || by == .score(.shapley) else {
      throw ValidationError("--walks is for --by shapley: leave it out")
    }
  }
}

extension PruneCommand {
  /// Checks the options of a removal of blocks or parts.
  func validateDepth(_ structure: DepthStructure) throws {
    guard let output else { throw ValidationError("give --output") }
    try checkOutputName(output)
    let depth = removal.depth
    let amounts = [removal.target != nil, depth.removeCount != nil, depth.removeList != nil]
    guard amounts.count(where: { $0 }) == 1 else {
      throw ValidationError("give one of --target, --remove-count and --remove-list")
    }
    guard removal.method == .surgeon, removal.shots == 1, statistics == nil, sweep == nil,
      removal.allocation == nil, solver.choice == SolverChoice(), labels == nil,
      !memory.isGiven, compute == .float32, !mpi, removal.sizes.choice == nil,
      removal.sizes.timingTable == nil
    else {
      throw ValidationError(
        "--structure \(structure) knows no --method, --shots, --statistics, --sweep, --allocation, "
          + "--labels, --compute, sizes as targets, --memory, --mpi or solver "
          + "options: see --by"
      )
    }
    try validateIdle(structure)
  }

  /// Refuses options that nothing looks at where blocks or parts go.
  private func validateIdle(_ structure: DepthStructure) throws {
    if let option = shots.firstGiven ?? removal.widths.firstOfUnits {
      throw ValidationError(
        "\(option) changes nothing with --structure \(structure): leave it out"
      )
    }
    guard removal.depth.goesByScore || !removal.widths.keepsBlocks else {
      throw ValidationError(
        """
        --keep-first and --keep-last are for a choice by score: leave them out, or give --by with a \
        score
        """
      )
    }
    guard input.input != nil || !windows.isGiven else {
      throw ValidationError(
        """
        --samples, --length and --seed are of windows: give them with --text or --tokens, or leave \
        them out
        """
      )
    }
  }

  /// The removal of blocks or parts, for the library.
  func depthOptions(_ structure: DepthStructure) -> DepthPruneOptions {
    let depth = removal.depth
    var options = DepthPruneOptions(
      model: model,
      structure: structure,
      amount: depth.removeList.map { .blocks($0.blocks) }
        ?? depth.removeCount.map { .count($0) } ?? .share(removal.target ?? 0),
      criterion: depth.by ?? .score(.loss),
      input: input.input,
      windows: windows.choice,
      output: URL(filePath: output ?? "")
    )
    options.isIterative = depth.iterative
    options.keepFirst = removal.widths.keepFirst
    options.keepLast = removal.widths.keepLast
    options.shapley = ShapleyChoice(walks: depth.walks ?? ShapleyChoice().walks)
    options.emulation = depth.emulate ?? .none
    options.profile = profile
    options.overwrite = overwrite
    return options
  }
}

/// Blocks as a list on the command line.
struct BlockList: ExpressibleByArgument {
  let blocks: [Int]

  /// Reads numbers and ranges such as `3,5-7`.
  init?(argument: String) {
    var blocks: Set<Int> = []
    for item in argument.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = item.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard 1...2 ~= ends.count, let first = ends[0], let last = ends[ends.count - 1],
        0 <= first, first <= last, last < 1 << 12
      else { return nil }
      blocks.formUnion(first...last)
    }
    self.blocks = blocks.sorted()
  }
}

extension DepthCriterion: ExpressibleByArgument {
  /// Reads a scheme of places or a metric.
  public init?(argument: String) {
    if let scheme = PositionScheme(rawValue: argument) {
      self = .position(scheme)
    } else if let metric = DepthMetric(rawValue: argument) {
      self = .score(metric)
    } else {
      return nil
    }
  }
}

extension DepthEmulation: ExpressibleByArgument {
  /// Reads `none`, `bias`, `diagonal`, `full`, `rank-N` or `merge`.
  public init?(argument: String) { self.init(argument) }
}
