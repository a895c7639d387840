import ArgumentParser
import LLMSurgeon

@main
struct Surgeon: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "surgeon",
    abstract: "Makes language models smaller and leaves checkpoints that ordinary software loads.",
    discussion: """
      MODEL is a directory in the Hugging Face layout, or org/name in the local Hugging Face cache.
      Results go to standard output, progress to standard error. Exit codes: 0 done, 64 wrong \
      usage, 1 the run failed, 130 interrupted.
      """,
    version: Program.version,
    subcommands: [
      InspectCommand.self, CalibrateCommand.self, MergeCommand.self, MeasureCommand.self,
      DepthCommand.self, PruneCommand.self, ChopCommand.self, RetrainCommand.self,
      ReconstructCommand.self, ExportCommand.self,
      EvaluateCommand.self, GenerateCommand.self, ReportCommand.self, DemoCommand.self,
    ]
  )
}
