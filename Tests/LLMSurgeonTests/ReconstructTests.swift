import Foundation
import Report
import Safetensors
import Tensors
import TestKit
import Testing
import Transformer

@testable import LLMSurgeon

/// A reconstruction of a small model that was pruned.
struct Rebuilding {
  let fixture: Fixture
  let pruned: URL
  var options: ReconstructOptions

  init(
    _ name: String,
    _ groups: [TrainedGroup],
    _ reconstruction: ReconstructionChoice,
    in scratch: ScratchDirectory
  ) throws {
    let retraining = try Retraining(name, groups)
    fixture = retraining.fixture
    pruned = try retraining.pruned(scratch)
    var choice = TrainingChoice(groups: groups, steps: 20, learningRate: 3e-3)
    choice.rank = 2
    var data = TrainingData(input: fixture.input, batch: 2)
    data.heldOut = fixture.input
    options = ReconstructOptions(
      model: pruned.path,
      dense: fixture.url.path,
      data: data,
      reconstruction: reconstruction,
      training: choice,
      output: scratch.url("out")
    )
  }
}

@Suite("Reconstruction")
struct ReconstructTests {
  static let windows: [ReconstructionWindow] = [.matrix, .parts, .blocks(1), .blocks(2)]

  @Test(
    "errors fall, zeros stay, and the model comes closer to the dense one",
    arguments: windows,
    ["opt", "llama"]
  )
  func closer(window: ReconstructionWindow, name: String) throws {
    let scratch = try ScratchDirectory()
    let groups: [TrainedGroup] = window == .matrix ? [.biases, .full] : [.norms, .maskLoRA]
    let rebuilding = try Rebuilding(name, groups, .init(window: window), in: scratch)
    let report = try reconstruct(rebuilding.options)
    let windows = report.report.windows
    #expect(windows.count >= 1)
    for window in windows {
      #expect(!window.isKept || window.after < window.before, "\(window.name)")
    }
    #expect(windows.contains { $0.isKept })
    let (before, after) = (try tensors(rebuilding.pruned), try tensors(scratch.url("out")))
    for linear in try OpenedModel(rebuilding.pruned.path).model.linears {
      let (old, new) = (try before.floats(linear.weight), try after.floats(linear.weight))
      #expect(old.map { $0 == 0 } == new.map { $0 == 0 }, "\(linear.name)")
    }
    func logits(_ model: URL) throws -> [Float] {
      let file = scratch.url("logits-of-\(model.lastPathComponent).safetensors")
      let input = rebuilding.fixture.input
      _ = try evaluate(EvaluationOptions(model: model.path, input: input, logits: file))
      return try SafetensorsFile(path: file.path).floats("logits")
    }
    let dense = try logits(rebuilding.fixture.url)
    let (far, near) = (try logits(rebuilding.pruned), try logits(scratch.url("out")))
    #expect(relativeError(near, dense) < relativeError(far, dense))
    #expect(try scratch.names().filter { $0.hasPrefix(".") } == [])
  }

  @Test("a model that was not pruned keeps its values", arguments: windows)
  func nothingToDo(window: ReconstructionWindow) throws {
    let scratch = try ScratchDirectory()
    let groups: [TrainedGroup] = window == .matrix ? [.biases, .full] : [.norms]
    var rebuilding = try Rebuilding("opt", groups, .init(window: window), in: scratch)
    rebuilding.options.model = rebuilding.options.dense
    let report = try reconstruct(rebuilding.options)
    // The error is zero, but for rounding where the moments are summed.
    #expect(report.report.windows.allSatisfy { $0.before <= 1e-12 })
    if window != .matrix {
      #expect(report.report.windows.allSatisfy { !$0.isKept })
      let (before, after) = (try tensors(rebuilding.fixture.url), try tensors(scratch.url("out")))
      for name in before.names { #expect(try before.bytes(name) == after.bytes(name)) }
    }
  }

  @Test(
    "inputs and targets of either path lower the error",
    arguments: ReconstructionInput.allCases
  )
  func paths(inputs: ReconstructionInput) throws {
    for target in ReconstructionTarget.allCases {
      for (window, group) in [(ReconstructionWindow.matrix, TrainedGroup.full), (.parts, .spp)] {
        let scratch = try ScratchDirectory()
        let choice = ReconstructionChoice(window: window, inputs: inputs, target: target)
        let rebuilding = try Rebuilding("llama", [group], choice, in: scratch)
        let windows = try reconstruct(rebuilding.options).report.windows
        let kept = windows.count(where: \.isKept)
        #expect(kept > windows.count / 2, "\(inputs) \(target) \(window)")
      }
    }
  }

  @Test("two models of different shapes, and groups that a window cannot have, are refused")
  func refused() throws {
    let scratch = try ScratchDirectory()
    var other = try Rebuilding("opt", [.norms], .init(), in: scratch)
    other.options.dense = try Fixture("llama").url.path
    #expect(throws: JobError.self) { try reconstruct(other.options) }
    other.options.dense = other.fixture.url.path
    other.options.training.groups = [.head]
    #expect(throws: JobError.self) { try reconstruct(other.options) }
    other.options.training.groups = [.norms, .full]
    other.options.reconstruction.window = .matrix
    #expect(throws: JobError.self) { try reconstruct(other.options) }
    #expect(try scratch.names() == ["pruned"])
  }
}
