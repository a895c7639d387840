import ArgumentParser
import LLMSurgeon
import Pruning

/// What is removed, and how much of it.
struct RemovalOptions: ParsableArguments {
  @Option(
    name: .customLong("structure"),
    help: """
      element, N:M (N kept of M, 1 ≤ N < M ≤ 16), rows-columns, rows, columns, neurons, heads, or \
      neurons,heads; whole blocks, attention or feed-forward parts.
      """
  )
  var removed: RemovedStructure = .weights(.rowsColumns)

  @Option(
    help: """
      The share of the prunable weights to remove, above 0 and below 1 (N:M removes every block's \
      share unless given).
      """
  )
  var target: Double?

  @OptionGroup(title: "A size or time to leave at most, instead of --target (neurons and heads)")
  var sizes: SizeOptions

  @Option(
    help: """
      surgeon, kobd (no repair), lobd (activations only), magnitude; for neurons and heads also \
      activation (variances only); for element and N:M also the published methods that look at one \
      layer at a time: wanda, sparsegpt, alps.
      """
  )
  var method: Method = .surgeon

  @Option(
    help: """
      One threshold over all layers (global), the same share in each (uniform: of neurons and \
      heads the same numbers), or less from blocks with more outliers (owl; for wanda, sparsegpt, \
      alps). Neurons, heads and methods that look at one layer are uniform unless told, all else \
      is global.
      """
  )
  var allocation: Allocation?

  @Option(
    help: """
      How often to calibrate and remove a part of the target. More than once pays for \
      rows-columns, a little for element, and loses at N:M patterns as tight as 1:4.
      """
  )
  var shots = 1

  @OptionGroup(title: "Widths (neurons and heads)")
  var widths: WidthOptions

  @OptionGroup(title: "Depth (with --structure blocks, attention or feed-forward)")
  var depth: DepthArguments

  /// What is removed within the blocks.
  var structure: Structure {
    if case .weights(let structure) = removed { structure } else { .rowsColumns }
  }

  /// What is removed whole, if blocks or parts of them are.
  var depthStructure: DepthStructure? {
    if case .depth(let structure) = removed { structure } else { nil }
  }

  /// What is removed, for the library.
  var choice: RemovalChoice {
    RemovalChoice(
      structure: structure,
      target: target,
      size: sizes.choice,
      method: method,
      allocation: allocation,
      headUnit: widths.headUnit ?? .group,
      constraints: widths.constraints
    )
  }

  func validate() throws {
    if let target, !(target > 0 && target < 1) {
      throw ValidationError("--target is a share above 0 and below 1, such as 0.5")
    }
    guard target == nil || sizes.choice == nil else {
      throw ValidationError("give --target or one of --target-…, not both")
    }
    guard depthStructure != nil || !depth.isGiven else {
      throw ValidationError(
        "--by, --remove-count, --remove-list, --iterative, --walks and --emulate go with "
          + "--structure blocks, attention or feed-forward"
      )
    }
    guard depthStructure == nil || sizes.choice == nil else {
      throw ValidationError("sizes as targets are for neurons and heads: give --target")
    }
    guard structure.isUnits || sizes.choice == nil else {
      throw ValidationError(
        """
        structure \(structure) leaves every tensor its shape: \
        sizes as targets go with --structure neurons, heads or neurons,heads
        """
      )
    }
    guard structure.isUnits || sizes.timingTable == nil else {
      throw ValidationError(
        """
        structure \(structure) leaves every tensor its shape and saves no time: \
        --timing-table goes with --structure neurons, heads or neurons,heads
        """
      )
    }
    if let target, let most = structure.impliedShare, target > most {
      throw ValidationError("\(structure) removes at most \(most) of the weights")
    }
    guard method != .activation || structure.isUnits else {
      throw ValidationError("--method activation is for the structures neurons and heads")
    }
    guard structure.isUnits || depthStructure != nil || !widths.isGiven else {
      throw ValidationError(
        "constraints on widths go with --structure neurons, heads or neurons,heads"
      )
    }
    if case .units(let kinds) = structure { try widths.check(kinds) }
    guard allocation == .global || depthStructure != nil || !widths.keepsBlocks else {
      throw ValidationError(
        """
        --keep-first and --keep-last contradict the same widths everywhere: give \
        --allocation global too
        """
      )
    }
    guard 1...1000 ~= shots else { throw ValidationError("--shots must be between 1 and 1000") }
    guard shots == 1 || !method.isLayerLocal else {
      throw ValidationError("--shots above 1 is not for --method \(method.rawValue)")
    }
  }
}

/// The size that is left at most.
struct SizeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "All parameters of the model, embeddings included, such as 350M or 1.2B (K, M, B).",
      valueName: "number"
    )
  )
  var targetParameters: ParameterCount?

  @Option(
    help: ArgumentHelp(
      "The weight files, such as 2.5GB or 2GiB (KB, MB, GB, or KiB, MiB, GiB).",
      valueName: "bytes"
    )
  )
  var targetBytes: ByteCount?

  @Option(
    help: ArgumentHelp(
      "The keys and values of one token in the checkpoint's element type, such as 8KiB.",
      valueName: "bytes"
    )
  )
  var targetKvBytesPerToken: ByteCount?

  @Option(
    help: ArgumentHelp(
      "How many times as fast a prompt shall be, such as 1.5x, by the timing table.",
      valueName: "factor"
    )
  )
  var targetSpeedup: SpeedupFactor?

  @Option(
    help: ArgumentHelp(
      "The times that a speedup is predicted from; see 'surgeon help measure'.",
      valueName: "file"
    ),
    completion: .file()
  )
  var timingTable: String?

  /// The size, or nil if none was given.
  var choice: SizeTarget? { given.first }

  private var given: [SizeTarget] {
    [
      targetParameters.map { .parameters($0.value) }, targetBytes.map { .bytes($0.value) },
      targetKvBytesPerToken.map { .keyValueBytesPerToken($0.value) },
      targetSpeedup.map { .speedup($0.value) },
    ].compactMap(\.self)
  }

  func validate() throws {
    guard given.count <= 1 else {
      throw ValidationError(
        """
        give one of --target-parameters, --target-bytes, --target-kv-bytes-per-token and \
        --target-speedup
        """
      )
    }
    guard targetSpeedup == nil || timingTable != nil else {
      throw ValidationError(
        """
        --target-speedup needs --timing-table FILE, which 'surgeon measure MODEL --output FILE' \
        makes
        """
      )
    }
  }
}
