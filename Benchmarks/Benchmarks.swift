import ArgumentParser
import ExactJSON
import Foundation
import LLMSurgeon
import LinearAlgebra
import Report

/// Measures how fast this program computes, beside how fast the machine can.
@main
struct Benchmarks: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "Benchmarks",
    abstract: "Speed beside the machine's limit; see docs/performance.md.",
    discussion: """
      Before and after each timing the machine's rate of matrix products is taken on the same threads, \
      so that the shares hold on a machine that does other work too. Medians of several rounds, after \
      one that does not count.
      """
  )

  @Option(help: "Also write the figures to a JSON file.", completion: .file())
  var json: String?

  @Option(help: "The threads to compute on (all cores unless given).")
  var threads: Int?

  @Option(help: "The rounds whose median counts.")
  var rounds = 3

  @Option(help: "The kernels of OpenBLAS: 'default' for its own choice (the best here).")
  var blasCore: String?

  @Option(
    parsing: .upToNextOption,
    help: "What to measure: tiny, opt, llama, solver, files (all unless given)."
  )
  var only: [Part] = Part.allCases

  @Flag(help: "Count processor time: for a machine that does other work at the same time.")
  var processorTime = false

  @Flag(help: "Also the solver on 11008 × 4096, which takes minutes.")
  var large = false

  /// A part of the measurements.
  enum Part: String, CaseIterable, ExpressibleByArgument {
    case tiny, opt, llama, solver, files
  }

  func validate() throws {
    guard 1...100 ~= rounds else { throw ValidationError("--rounds must be between 1 and 100") }
    if let threads, !(1...1024 ~= threads) {
      throw ValidationError("--threads must be between 1 and 1024")
    }
  }

  func run() throws {
    try KernelChoice(blasCore).apply()
    if let threads { Parallelism.threads = threads }
    var board = Scoreboard(rounds: rounds, clock: processorTime ? .processor : .wall)
    for part in Part.allCases where only.contains(part) {
      FileHandle.standardError.write(Data("measuring \(part.rawValue)\n".utf8))
      switch part {
      case .tiny: try CalibrationBenchmark(.tiny).run(&board)
      case .opt: try CalibrationBenchmark(.opt).run(&board)
      case .llama: try CalibrationBenchmark(.llama).run(&board)
      case .solver: try measureSolver(&board, isLarge: large)
      case .files: try measureFiles(&board)
      }
    }
    print(board.text)
    if let json {
      try Data(JSONWriter.write(board.json, indent: 2)).write(to: URL(filePath: json))
    }
  }
}
