import ArgumentParser
import Foundation
import LLMSurgeon
import MessagePassing

/// The command `surgeon calibrate`.
struct CalibrateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate",
    abstract: "Measures the curvature of every linear layer.",
    discussion: """
      Leaves a directory from which any number of prunings can be made. An interrupted calibration \
      continues where it stopped when the same command is given again. Several machines share the \
      windows with --shard and 'surgeon merge', or with --mpi; see docs/scale.md.
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

  @Option(
    help: ArgumentHelp(
      "Take part i of N of the windows, for 'surgeon merge': 1/4, 2/4, ….",
      valueName: "i/N"
    )
  )
  var shard: CalibrationShard?

  @Flag(help: "Share the windows among the processes that mpirun started.")
  var mpi = false

  @Option(
    help: """
      In what products with weights are computed: f32, or bf16 (faster on processors with AVX512-BF16 \
      or AMX; needs a program built with oneDNN).
      """
  )
  var compute: ComputePrecision = .float32

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
    guard !mpi || shard == nil else { throw ValidationError("give --shard or --mpi, not both") }
  }

  func run() throws {
    guard mpi else {
      return try Session.run(session) { progress in
        print(try calibrate(try options(), progress: progress).text)
      }
    }
    try Session.run(together: session) { ranks, progress in
      let summary = try calibrate(try options(), together: ranks, progress: progress)
      if ranks.isFirst { print(summary.text) }
    }
  }

  private func options() throws -> CalibrationOptions {
    CalibrationOptions(
      model: model,
      input: try input.required(),
      windows: windows.choice,
      labels: labels,
      memory: memory.choice,
      shard: shard,
      compute: compute,
      output: URL(filePath: output),
      overwrite: overwrite
    )
  }
}
