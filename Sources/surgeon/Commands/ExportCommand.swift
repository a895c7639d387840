import ArgumentParser
import Export
import Foundation
import LLMSurgeon

/// What only GGUF files have.
struct GGUFArguments: ParsableArguments {
  @Option(help: "f32, f16 or bf16 for matrices (as in the model unless given).")
  var precision: ExportPrecision?

  @Option(
    help: """
      The architecture for llama.cpp: 'own' gives all blocks the sizes of the largest, 'deci' gives \
      each block its own, 'auto' takes 'own' where the blocks are alike.
      """
  )
  var architecture: ExportArchitecture?

  @Flag(name: .customLong("no-tokenizer"), help: "Write a file that takes token ids only.")
  var leavesTokenizerOut = false

  /// Whether any of them is given.
  var isGiven: Bool { precision != nil || architecture != nil || leavesTokenizerOut }

  /// The settings, for the library.
  var settings: GGUFSettings {
    GGUFSettings(
      precision: precision,
      architecture: architecture ?? .automatic,
      includesTokenizer: !leavesTokenizerOut
    )
  }
}

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
      surgeon reads. A GGUF file runs in llama.cpp and in software built on it.
      """
  )

  /// The formats that are written.
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case huggingFace = "hf"
    case gguf
  }

  @Argument(help: "The model.")
  var model: String

  @Option(help: "hf, a directory in the Hugging Face layout, or gguf, one file for llama.cpp.")
  var format: Format = .huggingFace

  @Option(help: "uniform (unless given), per-layer, masked, or packed (with --format hf).")
  var profile: Profile?

  @Flag(help: "Tell old versions of compressed-tensors of packed weights in config.json.")
  var legacyConfig = false

  @OptionGroup(title: "With --format gguf")
  var gguf: GGUFArguments

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
    guard profile == nil || format == .huggingFace else {
      throw ValidationError("--profile belongs to --format hf")
    }
    guard !gguf.isGiven || format == .gguf else {
      throw ValidationError(
        "--precision, --architecture and --no-tokenizer belong to --format gguf"
      )
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
    case .huggingFace: .huggingFace(profile ?? .uniform, hasLegacyConfiguration: legacyConfig)
    case .gguf: .gguf(gguf.settings)
    }
  }
}
