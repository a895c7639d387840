import ArgumentParser
import Foundation
import LLMSurgeon

/// The command `surgeon calibrate`.
struct CalibrateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate",
    abstract: "Measures the curvature of every linear layer.",
    discussion: """
      Leaves a directory from which any number of prunings can be made. An interrupted calibration \
      continues where it stopped when the same command is given again.
      """
  )

  @Argument(help: "The model.")
  var model: String

  @OptionGroup(title: "Calibration tokens")
  var input: InputOptions

  @OptionGroup(title: "Calibration windows")
  var windows: WindowOptions

  @Option(help: "Labels of the text, or drawn from the model: empirical or sampled.")
  var labels: CalibrationLabels = .empirical

  @OptionGroup(title: "Memory")
  var memory: MemoryOptions

  @Option(
    name: .shortAndLong,
    help: "The statistics directory to write.",
    completion: .directory
  )
  var output: String

  @Flag(help: "Replace an existing statistics directory.")
  var overwrite = false

  @OptionGroup(title: "Run")
  var session: RunOptions

  func validate() throws {
    _ = try input.required()
    try checkOutputName(output)
  }

  func run() throws {
    try Session.run(session) { progress in
      let summary = try calibrate(
        CalibrationOptions(
          model: model,
          input: try input.required(),
          windows: windows.choice,
          labels: labels,
          memory: memory.choice,
          output: URL(filePath: output),
          overwrite: overwrite
        ),
        progress: progress
      )
      print(summary.text)
    }
  }
}
