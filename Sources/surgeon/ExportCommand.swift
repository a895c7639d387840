import ArgumentParser
import Foundation
import LLMSurgeon

/// The formats that a model can be exported to.
enum ExportFormat: String, ExpressibleByArgument, CaseIterable {
  case gguf
}

/// What only GGUF files have.
struct GGUFExportArguments: ParsableArguments {
  @Option(help: "How matrices are stored (as in the model unless given).")
  var precision: ExportPrecision?

  @Option(
    help: """
      The architecture for llama.cpp: 'own' needs blocks of the same sizes and keeps them as large \
      as the largest, 'deci' gives each block its own, 'auto' takes 'own' where nothing is lost.
      """
  )
  var architecture = ExportArchitecture.auto

  @Flag(name: .customLong("no-tokenizer"), help: "Write a file that takes token ids only.")
  var leavesTokenizerOut = false
}

/// The command `surgeon export`.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes a model in another format, without the parts that contribute nothing.",
    discussion: """
      Heads and neurons whose weights are zero are left out, which changes no result. A GGUF file \
      runs in llama.cpp and in software built on it.
      """
  )

  @Argument(help: "The model.")
  var model: String

  @Option(help: "The format.")
  var format: ExportFormat

  @Option(name: .shortAndLong, help: "What to write.", completion: .file())
  var output: String

  @OptionGroup(title: "GGUF")
  var gguf: GGUFExportArguments

  @Flag(help: "Replace an earlier export.")
  var overwrite = false

  @OptionGroup(title: "Run")
  var session: RunOptions

  func validate() throws {
    if output.isEmpty { throw ValidationError("--output must name a file") }
  }

  func run() throws {
    try Session.run(session) { progress in
      switch format {
      case .gguf: print(try exportGGUF(ggufOptions, progress: progress).text)
      }
    }
  }

  private var ggufOptions: GGUFExportOptions {
    var options = GGUFExportOptions(model: model, output: URL(filePath: output))
    options.precision = gguf.precision
    options.architecture = gguf.architecture
    options.includesTokenizer = !gguf.leavesTokenizerOut
    options.overwrite = overwrite
    return options
  }
}
