import ArgumentParser
import Export
import Foundation
import LLMSurgeon

/// The command `surgeon chop`.
struct ChopCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chop",
    abstract: "Removes whole blocks by their place, then goes on with the pretraining.",
    discussion: """
      All values are trained (docs/chop.md). An interrupted run continues where it saved its state \
      last when the same command is given again.
      """
  )

  @Argument(help: "The model.")
  var model: String

  @OptionGroup(title: "Removal")
  var removal: ChopArguments

  @OptionGroup
  var data: TrainingDataOptions

  @OptionGroup(title: "Training")
  var optimizer: OptimizerOptions

  @Option(
    help: ArgumentHelp(
      "How much of the means of gradients and of their squares stays (0.9,0.95 unless given).",
      valueName: "two numbers"
    )
  )
  var betas: Betas?

  @Option(help: "The weight of the divergence from the whole model's predictions.")
  var distillLogits: Double = 0

  @Option(help: "The weight of the mean square of the difference from its hidden states.")
  var distillHidden: Double = 0

  @OptionGroup(title: "Output")
  var checkpoint: CheckpointOptions

  @Option(help: "The shapes to write: masked (unless given), uniform, per-layer, packed.")
  var profile: Profile?

  @Option(
    help: ArgumentHelp(
      """
      Time a query of so many tokens read and written, before and after, and say after how many the \
      training has paid for itself.
      """,
      valueName: "read+written"
    )
  )
  var query: Query?

  @Option(
    help: ArgumentHelp("Also write a page with the curve of the loss.", valueName: "file"),
    completion: .file()
  )
  var html: String?

  @Flag(help: "Print the report as JSON, with the times.")
  var json = false

  @OptionGroup(title: "Run")
  var session: RunOptions

  func validate() throws {
    for (name, weight) in [
      ("--distill-logits", distillLogits), ("--distill-hidden", distillHidden),
    ] where !(weight >= 0 && weight.isFinite) {
      throw ValidationError("\(name) must be a number that is not negative")
    }
  }

  func run() throws {
    try Session.run(session) { progress in
      let report = try chop(options(), progress: progress)
      if let html { try report.writeHTML(to: URL(filePath: html)) }
      print(json ? report.json : report.text)
    }
  }

  private func options() throws -> ChopOptions {
    var training = TrainingChoice.pretraining()
    optimizer.apply(to: &training)
    if let betas { (training.meanDecay, training.squareDecay) = (betas.mean, betas.square) }
    var options = ChopOptions(
      model: model,
      data: try data.choice(),
      removal: removal.choice,
      training: training,
      output: checkpoint.url
    )
    options.distillation = Distillation(logits: distillLogits, hidden: distillHidden)
    options.query = query
    options.profile = profile
    options.overwrite = checkpoint.overwrite
    return options
  }
}
