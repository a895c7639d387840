import ArgumentParser
import Export
import Foundation
import LLMSurgeon

/// The command `surgeon export`.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes a model in another format or in smaller shapes; what it computes stays.",
    discussion: """
      What contributes nothing is read off the weights: neurons and heads that a pruning left as \
      zeros. The profile 'uniform' gives all blocks the same smaller sizes, which any software \
      reads; 'per-layer' gives each its own (transformers then needs trust_remote_code=True); \
      'masked' keeps all shapes; 'packed' leaves zeros out and a mask in their place, which \
      surgeon reads.
      """
  )

  /// The formats that are written.
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case huggingFace = "hf"
  }

  @Argument(help: "The model.")
  var model: String

  @Option(help: "hf, a directory in the Hugging Face layout.")
  var format: Format = .huggingFace

  @Option(help: "uniform, per-layer, masked, or packed (with --format hf).")
  var profile: Profile = .uniform

  @Flag(help: "Tell old versions of compressed-tensors of packed weights in config.json.")
  var legacyConfig = false

  @Option(name: .shortAndLong, help: "What to write.", completion: .directory)
  var output: String

  @Flag(help: "Replace a former output.")
  var overwrite = false

  @OptionGroup(title: "Run")
  var session: RunOptions

  func validate() throws {
    try checkOutputName(output)
    guard !legacyConfig || profile == .packed else {
      throw ValidationError("--legacy-config belongs to --profile packed")
    }
  }

  func run() throws {
    try Session.run(session) { progress in
      let summary = try export(
        ExportOptions(
          model: model,
          target: target,
          output: URL(filePath: output),
          overwrite: overwrite
        ),
        progress: progress
      )
      print(summary.text)
    }
  }

  private var target: ExportTarget {
    switch format {
    case .huggingFace: .huggingFace(profile, hasLegacyConfiguration: legacyConfig)
    }
  }
}
