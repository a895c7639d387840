public import ArgumentParser
public import LLMSurgeon

/// The command `surgeon depth`.
struct DepthCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "depth",
    abstract: "How much each block, or part of one, matters; writes nothing.",
    discussion: """
      Blocks with low scores are the first to go: 'surgeon prune --structure blocks --by METRIC' \
      removes them. cosine, angular, l1, l2, relative-l1 and relative-l2 compare the hidden states \
      before and after a unit in one run; curvature predicts from one gradient how much the loss rises \
      when the best linear map makes up for a unit; logits and loss run the model without each unit; \
      shapley walks from the whole model down to none through random orders.
      """
  )

  @Argument(help: "The model.")
  var model: String

  @OptionGroup(title: "Tokens")
  var input: InputOptions

  @OptionGroup(title: "Windows")
  var windows: WindowOptions

  @Option(help: "blocks, attention, feed-forward, or several of them with commas between.")
  var structure = DepthStructure([.blocks])

  @Option(
    help: """
      Scores with commas between, or all: cosine, angular, l1, l2, relative-l1, relative-l2, \
      curvature, logits, loss, shapley.
      """
  )
  var metric = MetricList(metrics: [.cosine, .angular, .relativeL2, .loss])

  @Option(
    help: "Score spans of so many consecutive blocks (scores that compare hidden states)."
  )
  var span = 1

  @Option(help: "The most walks for Shapley values; fewer where ranks are stable before.")
  var walks = 32

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup(title: "Run")
  var session: RunOptions

  func validate() throws {
    _ = try input.required()
    guard span >= 1 else { throw ValidationError("--span must be at least 1") }
    guard walks >= 2 else { throw ValidationError("--walks must be at least 2") }
  }

  func run() throws {
    try Session.run(session) { progress in
      let scores = try depth(
        DepthScoreOptions(
          model: model,
          input: try input.required(),
          windows: windows.choice,
          structure: structure,
          metrics: metric.metrics,
          span: span,
          shapley: ShapleyChoice(walks: walks)
        ),
        progress: progress
      )
      print(
        json
          ? try scores.json()
          : try scores.text(columns: Terminal.columns, isTerminal: Terminal.isTerminal)
      )
    }
  }
}

/// Metrics as a list on the command line.
struct MetricList: ExpressibleByArgument {
  let metrics: [DepthMetric]

  init(metrics: [DepthMetric]) { self.metrics = metrics }

  /// Reads names with commas between, each once, or `all`.
  init?(argument: String) {
    guard argument != "all" else {
      metrics = DepthMetric.allCases
      return
    }
    let names = argument.split(separator: ",", omittingEmptySubsequences: false)
    let found = names.compactMap { DepthMetric(rawValue: String($0)) }
    guard found.count == names.count, Set(found).count == found.count else { return nil }
    metrics = found
  }

  var defaultValueDescription: String { metrics.map(\.rawValue).joined(separator: ",") }
}

extension DepthStructure: ExpressibleByArgument {
  /// Reads `blocks`, `attention`, `feed-forward`, or several of them with commas between.
  public init?(argument: String) { self.init(argument) }

  /// How help shows a default.
  public var defaultValueDescription: String { "\(self)" }
}
