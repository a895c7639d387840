import DemonstrationModel
import Depth
import ExactJSON
import Export
import Foundation
import Report
import Safetensors
import Tensors
import TestKit
import Testing
import Training
import Transformer

@testable import LLMSurgeon

@Suite("Removal of blocks, then training")
struct ChopTests {
  /// The blocks that go of six, two or three of them.
  static let schemes: [(PositionScheme, [Int])] = [
    (.input, [1, 2]), (.output, [3, 4]), (.middle, [2, 3]), (.both, [1, 4]), (.maxGap, [1, 4]),
  ]

  @Test(
    "without steps it writes what a pruning of blocks does",
    arguments: schemes,
    [Profile.masked, .uniform]
  )
  func noSteps(scheme: (name: PositionScheme, blocks: [Int]), profile: Profile) throws {
    let scratch = try ScratchDirectory()
    var chopping = Chopping(.keep(4), steps: 0, to: scratch.url("chopped"))
    chopping.options.removal.scheme = scheme.name
    chopping.options.profile = profile
    let report = try chop(chopping.options)
    var options = DepthPruneOptions(
      model: chopping.options.model,
      structure: DepthStructure([.blocks]),
      amount: .count(2),
      criterion: .position(scheme.name),
      output: scratch.url("pruned")
    )
    options.profile = profile
    _ = try pruneDepth(options)
    let differing = try differences(scratch.url("chopped"), scratch.url("pruned"))
    #expect(differing == ["surgeon-chop.json", "surgeon-depth.json"])
    #expect(report.report.removal.removed == scheme.blocks)
    #expect(report.kept == (0..<6).filter { !scheme.blocks.contains($0) })
    #expect(report.perplexity == report.perplexityCut)
    #expect(try scratch.names() == ["chopped", "pruned"])
  }

  @Test("training lowers the loss of what is left, and the written model has it")
  func training() throws {
    let scratch = try ScratchDirectory()
    var chopping = Chopping(.blocks([1, 3]), to: scratch.url("out"))
    chopping.options.data.length = 128
    chopping.options.data.batch = 4
    chopping.options.training.learningRate = 3e-4
    let report = try chop(chopping.options)
    let cut = try #require(report.perplexityCut)
    #expect(try #require(report.perplexityBefore) < cut)
    #expect(try #require(report.perplexity) < cut)
    let loss = try evaluate(
      EvaluationOptions(model: scratch.path("out"), input: Chopping.text, length: 128, windows: 2)
    ).loss
    #expect(abs(loss - (try #require(report.report.training.writtenLoss))) <= 1e-6)
    let opened = try OpenedModel(scratch.path("out"))
    #expect(opened.model.decoder.blocks == 4)
    // What was tied still is.
    #expect(opened.model.decoder.isTied)
    let saved = try json(scratch.url("out/surgeon-chop.json"))
    #expect(saved["timing"] == nil)
    #expect(saved["course"]?["losses"]?.array?.count == 4)
    // All tensors changed.
    let (before, after) = (
      try tensors(DemonstrationModel.directory), try tensors(scratch.url("out"))
    )
    let names = opened.model.names(keepingBlocks: [0, 1, 2, 3])
    let origins = try OpenedModel(chopping.options.model).model.names(keepingBlocks: [0, 2, 4, 5])
    for (origin, name) in origins {
      #expect(names[name] == name)
      #expect(try before.bytes(origin) != after.bytes(name), "\(name)")
    }
  }

  /// A model of six blocks after two steps of training.
  private func trained() throws -> (opened: OpenedModel, trainer: Trainer) {
    let scratch = try ScratchDirectory()
    let options = Chopping(.remove(2), to: scratch.url("out")).options
    let opened = try OpenedModel(options.model)
    var trainer = try Trainer(
      TrainedModel(opened.model, options.training),
      options.training,
      try options.data.trainingWindows(of: opened),
      batch: 1
    )
    for _ in 0..<2 { try trainer.makeStep(rate: 1e-4) }
    return (opened, trainer)
  }

  @Test("what stays keeps its values and the optimizer's moments, at once or one after the other")
  func moments() throws {
    let (opened, trainer) = try trained()
    let whole = trainer.trained
    let cut = try whole.keeping([0, 2, 5], of: Array(0..<6), in: opened)
    let first = try whole.keeping([0, 1, 2, 5], of: Array(0..<6), in: opened)
    let second = try first.keeping([0, 2, 5], of: [0, 1, 2, 5], in: opened)
    #expect(cut.parameters == second.parameters)
    #expect(Set(cut.sites.keys) == Set(second.sites.keys))
    let old = Dictionary(uniqueKeysWithValues: whole.parameters.map { ($0.name, $0) })
    let names = opened.model.names(keepingBlocks: [0, 2, 5])
    var seen = 0
    for (origin, name) in names {
      guard let parameter = cut.parameters.first(where: { $0.name == "\(name)" }) else { continue }
      let former = try #require(old["\(origin)"])
      #expect(parameter.values == former.values && parameter.decays == former.decays)
      #expect(parameter.mean == former.mean && parameter.square == former.square)
      #expect(parameter.mean.contains { $0 != 0 })
      #expect(try cut.floats(name) == whole.floats(origin))
      seen += 1
    }
    // The embedding, the last norm, and nine tensors of each block.
    #expect(seen == 2 + 3 * 9 && seen == cut.parameters.count)
  }

  @Test("steps before the removal are ordinary training at the rate of the end")
  func stepsBefore() throws {
    let scratch = try ScratchDirectory()
    var chopping = Chopping(.remove(2), steps: 0, to: scratch.url("out"))
    chopping.options.removal.stepsBefore = 2
    _ = try chop(chopping.options)
    let (opened, trainer) = try trained()
    // A tenth of the peak of 1e-3 is the rate of these two steps.
    let cut = try trainer.trained.keeping([0, 3, 4, 5], of: Array(0..<6), in: opened)
    let written = try tensors(scratch.url("out"))
    for name in cut.sites.keys { #expect(try written.bytes(name) == cut.bytes(name), "\(name)") }
  }

  @Test("weights decay, biases and norms do not")
  func decay() throws {
    for name in ["opt", "llama"] {
      let model = try OpenedModel(try Fixture(name).url.path).model
      let trained = try TrainedModel(model, .pretraining())
      for parameter in trained.parameters {
        let isVector = parameter.name.hasSuffix(".bias") || parameter.name.contains("norm")
        #expect(parameter.decays == !isVector, "\(parameter.name)")
      }
      // Every tensor is trained.
      #expect(Set(trained.sites.keys).isSuperset(of: model.source.names))
    }
  }

  @Test("every block goes once, and before the steps that do without it", arguments: [0, 1, 3])
  func plan(interval: Int) throws {
    let scratch = try ScratchDirectory()
    var options = Chopping(.remove(3), steps: 9, to: scratch.url("out")).options
    options.removal.stepsBefore = 2
    options.removal.interval = interval
    let plan = try ChopPlan(options, of: OpenedModel(options.model).model)
    var kept = Array(0..<6)
    for step in 0...plan.steps {
      #expect(plan.kept(in: step) == kept)
      let gone = plan.removed(after: step)
      kept.removeAll(where: gone.contains)
      #expect(plan.kept(after: step) == kept)
      let isDue = interval == 0 ? step == 2 : step >= 2 && (step - 2) % interval == 0
      #expect(gone.isEmpty || isDue)
      #expect(gone.count <= (interval == 0 ? 3 : 1))
    }
    #expect(plan.steps == 11 && kept == [0, 4, 5])
    #expect(plan.rate(step: 1) == 1e-4 && plan.rate(step: 2) == 1e-4)
    #expect(plan.rate(step: 3) == 1e-3)
    #expect(abs(plan.rate(step: 11) - 1e-4) < 1e-4)
  }

  @Test("one block at a time is trained between, and each removal is recorded")
  func gradual() throws {
    let scratch = try ScratchDirectory()
    var chopping = Chopping(.remove(2), steps: 2, to: scratch.url("out"))
    chopping.options.removal.interval = 2
    let report = try chop(chopping.options)
    let cuts = report.report.course.cuts
    #expect(cuts.map(\.step) == [0, 2])
    #expect(cuts.map(\.blocks) == [[1], [2]])
    #expect(cuts.allSatisfy { $0.lossBefore != nil && $0.lossAfter != nil })
    #expect(report.report.course.heldOut.map(\.step) == [0, 1, 2])
    #expect(try OpenedModel(scratch.path("out")).model.decoder.blocks == 4)
  }

  @Test("what cannot be is refused with one reason before any work")
  func refused() throws {
    let scratch = try ScratchDirectory()
    let amounts: [(ChopAmount, String)] = [
      (.remove(7), "may"), (.remove(5), "the first and the last block stay"),
      (.remove(0), "at least one"), (.remove(-1), "at least one"), (.keep(1), "cannot be kept"),
      (.keep(6), "cannot be kept"), (.keep(-2), "cannot be kept"),
      (.blocks([0, 2]), "block 0 is the first"), (.blocks([5]), "block 5 is the last"),
      (.blocks([9]), "no block 9"), (.blocks([-1]), "no block -1"), (.blocks([]), "at least one"),
    ]
    for (amount, reason) in amounts {
      try expectRefusal(Chopping(amount, to: scratch.url("out")).options, reason)
    }
    func changed(_ change: (inout ChopOptions) -> Void) -> ChopOptions {
      var options = Chopping(.remove(2), to: scratch.url("out")).options
      change(&options)
      return options
    }
    for (change, reason) in [
      ({ $0.removal.interval = 5 }, "more than 4 steps"), ({ $0.removal.interval = -1 }, "steps"),
      ({ $0.removal.interval = .max }, "from 0 to"), ({ $0.training.steps = -1 }, "from 0 to"),
      ({ $0.distillation.hidden = .nan }, "hidden states"),
      ({ $0.distillation.logits = -1 }, "logits"), ({ $0.training.squareDecay = 1 }, "decay"),
      ({ $0.training.groups = [.full] }, "all values"),
      ({ $0.query = Query(promptTokens: 0, newTokens: 2) }, "query"),
      ({ $0.query = Query(promptTokens: 2, newTokens: 1) }, "query"),
    ] as [((inout ChopOptions) -> Void, String)] {
      try expectRefusal(changed(change), reason)
    }
    #expect(try scratch.names() == [])
  }

  private func expectRefusal(_ options: ChopOptions, _ reason: String) throws {
    do {
      _ = try chop(options)
      Issue.record("not refused: \(reason)")
    } catch {
      #expect("\(error)".contains(reason), "\(error)")
      #expect(!"\(error)".contains("\n"))
    }
  }

  @Test("a query that gets faster pays the training back after cost over saving, another never")
  func breakEven() {
    func speed(_ prompt: Double, _ decoding: Double) -> GenerationSpeed {
      GenerationSpeed(
        promptTokens: 4,
        newTokens: 4,
        repeats: 1,
        promptSeconds: prompt,
        decodingSeconds: decoding
      )
    }
    let speeds = ChopSpeeds(before: speed(1, 3), after: speed(0.5, 1.5))
    #expect(speeds.breakEven(cost: 100) == 50)
    #expect(speeds.breakEven(cost: 0) == 0)
    #expect(ChopSpeeds(before: speed(1, 3), after: speed(1, 3)).breakEven(cost: 100) == nil)
    #expect(ChopSpeeds(before: speed(1, 3), after: speed(2, 3)).breakEven(cost: 100) == nil)
  }
}
