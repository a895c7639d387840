import Checkpoint
import ExactJSON
import Export
import Foundation
import Pruning
import Report
import Safetensors
import Tensors
import TestKit
import Testing
import Training
import Transformer

@testable import LLMSurgeon

/// A short training of a small model.
struct Retraining {
  let fixture: Fixture
  var choice: TrainingChoice
  var data: TrainingData

  init(_ name: String, _ groups: [TrainedGroup], steps: Int = 6) throws {
    fixture = try Fixture(name)
    choice = TrainingChoice(groups: groups, steps: steps, learningRate: 1e-2)
    choice.rank = 2
    data = TrainingData(input: fixture.input, batch: 1)
    data.accumulation = 2
    data.heldOut = fixture.input
    data.interval = 2
  }

  @discardableResult
  func run(
    _ model: URL? = nil,
    to output: URL,
    progress: any ProgressListener = SilentProgress()
  ) throws -> RetrainReport {
    try retrain(
      RetrainOptions(
        model: (model ?? fixture.url).path,
        data: data,
        training: choice,
        output: output
      ),
      progress: progress
    )
  }

  /// Prunes the model by magnitude.
  func pruned(_ scratch: ScratchDirectory, pattern: Bool = false) throws -> URL {
    let url = scratch.url("pruned")
    _ = try prune(
      PruneOptions(
        model: fixture.url.path,
        data: .none,
        removal: RemovalChoice(
          structure: pattern ? .nm(kept: 2, of: 4) : .element,
          target: pattern ? nil : 0.6,
          method: .magnitude
        ),
        output: url
      )
    )
    return url
  }
}

/// The tensors of a checkpoint in one file.
func tensors(_ folder: URL) throws -> SafetensorsFile {
  try SafetensorsFile(path: folder.appending(path: "model.safetensors").path)
}

/// How much the held-out perplexity fell.
private func gain(_ report: RetrainReport) throws -> Double {
  let (before, after) = (report.perplexityBefore, report.perplexity)
  return try #require(before) - #require(after)
}

@Suite("Retraining")
struct RetrainTests {
  @Test(
    "training lowers the loss and keeps every zero",
    arguments: TrainedGroup.allCases.filter { $0 != .lora },
    ["opt", "llama"]
  )
  func zeros(group: TrainedGroup, name: String) throws {
    let scratch = try ScratchDirectory()
    // Llama has no biases to train.
    let groups = group == .biases ? [.biases, .norms] : [group]
    let retraining = try Retraining(name, groups)
    let pruned = try retraining.pruned(scratch, pattern: name == "opt")
    let report = try retraining.run(pruned, to: scratch.url("out"))
    let (before, after) = (try tensors(pruned), try tensors(scratch.url("out")))
    let opened = try OpenedModel(pruned.path)
    var changed = 0
    for tensor in before.names {
      let (old, new) = (try before.floats(tensor), try after.floats(tensor))
      changed += old == new ? 0 : 1
      guard opened.model.linears.contains(where: { $0.weight == tensor }) else { continue }
      #expect(old.map { $0 == 0 } == new.map { $0 == 0 }, "\(tensor)")
    }
    #expect(group == .head || changed > 0)
    // Putting zeros back may cost what training gained.
    if group != .loraPrune {
      #expect(try gain(report) > 0)
    }
    // What is written is what was trained, but for the zeros that LoRA-Prune puts back.
    let trained = try #require(report.report.course.heldOut.last?.loss)
    let written = try #require(report.report.writtenLoss)
    #expect(group == .loraPrune || abs(trained - written) <= 1e-6)
    #expect(report.report.zerosAfter == report.report.zerosBefore)
    let evaluation = try evaluate(
      EvaluationOptions(model: scratch.path("out"), input: retraining.fixture.input)
    )
    #expect(abs(evaluation.loss - written) <= 1e-6)
  }

  @Test("plain LoRA is refused on a pruned model before any work")
  func plain() throws {
    let scratch = try ScratchDirectory()
    let retraining = try Retraining("opt", [.lora])
    let pruned = try retraining.pruned(scratch)
    #expect(throws: (any Error).self) { try retraining.run(pruned, to: scratch.url("out")) }
    #expect(try scratch.names() == ["pruned"])
    let dense = try retraining.run(to: scratch.url("out"))
    #expect(try gain(dense) > 0)
  }

  @Test("a tied head is untied first, and the embeddings stay as they are")
  func untied() throws {
    let scratch = try ScratchDirectory()
    let retraining = try Retraining("opt", [.head])
    try retraining.run(to: scratch.url("out"))
    let (before, after) = (try tensors(retraining.fixture.url), try tensors(scratch.url("out")))
    let embedding: TensorName = "model.decoder.embed_tokens.weight"
    #expect(try before.bytes(embedding) == after.bytes(embedding))
    #expect(try after.floats("lm_head.weight") != before.floats(embedding))
    let config = try json(scratch.url("out/config.json"))
    #expect(config["tie_word_embeddings"] == false)
    #expect(try OpenedModel(scratch.path("out")).model.decoder.isTied == false)
  }

  @Test("added biases start at zero, and the written model has them")
  func addedBiases() throws {
    let scratch = try ScratchDirectory()
    var retraining = try Retraining("llama", [.biases])
    #expect(throws: JobError.self) { try retraining.run(to: scratch.url("none")) }
    retraining.choice.addsBiases = true
    let report = try retraining.run(to: scratch.url("out"))
    #expect(try gain(report) > 0)
    let model = try OpenedModel(scratch.path("out")).model
    #expect(model.linears.allSatisfy { $0.hasBias })
    let dense = try evaluate(
      EvaluationOptions(model: retraining.fixture.url.path, input: retraining.fixture.input)
    )
    #expect(dense.perplexity == report.perplexityBefore)
    #expect(try scratch.names() == ["out"])
  }

  @Test("two ways of changing the matrices are refused, and a group that the model lacks")
  func refused() throws {
    let scratch = try ScratchDirectory()
    for groups in [[TrainedGroup.full, .spp], [.maskLoRA, .scaleLoRA], [.head, .embeddings], []] {
      let retraining = try Retraining("opt", groups)
      #expect(throws: JobError.self) { try retraining.run(to: scratch.url("out")) }
    }
    var opt = try Retraining("opt", [.biases])
    opt.choice.addsBiases = true
    #expect(throws: JobError.self) { try opt.run(to: scratch.url("out")) }
    #expect(try scratch.names() == [])
  }

  @Test("the biases of rows that were pruned as a whole stay zero")
  func prunedRows() throws {
    let scratch = try ScratchDirectory()
    let retraining = try Retraining("opt", [.biases])
    _ = try prune(
      PruneOptions(
        model: retraining.fixture.url.path,
        data: .none,
        removal: RemovalChoice(structure: .rows, target: 0.4, method: .magnitude),
        profile: .masked,
        output: scratch.url("pruned")
      )
    )
    try retraining.run(scratch.url("pruned"), to: scratch.url("out"))
    let (before, after) = (try tensors(scratch.url("pruned")), try tensors(scratch.url("out")))
    var pruned = 0
    for linear in try OpenedModel(scratch.path("pruned")).model.linears {
      let name = try #require(linear.bias)
      let (old, new) = (try before.floats(name), try after.floats(name))
      let weight = try before.floats(linear.weight)
      for row in 0..<linear.outputs {
        let isEmpty = weight[row * linear.inputs..<(row + 1) * linear.inputs].allSatisfy { $0 == 0 }
        guard isEmpty, old[row] == 0 else { continue }
        #expect(new[row] == 0)
        pruned += 1
      }
    }
    #expect(pruned > 0)
  }

  @Test("windows come in another order in each round, and each once")
  func order() throws {
    let windows = TokenWindows(tokens: Array(0..<20), length: 2, source: "test")
    var order = TrainingWindows(windows, seed: 1)
    let first = try order.sequences(from: 0, count: 10).tokens
    let second = try order.sequences(from: 10, count: 10).tokens
    #expect(first != second)
    #expect(first.sorted() == Array(0..<20))
    #expect(second.sorted() == Array(0..<20))
    var again = TrainingWindows(windows, seed: 1)
    #expect(try again.sequences(from: 15, count: 2).tokens == Array(second[10..<14]))
  }
}
