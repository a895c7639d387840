import ExactJSON
import Foundation
import Report
import Safetensors
import Tensors
import TestKit
import Testing
import Training
import Transformer

@testable import LLMSurgeon

@Suite("A model that is taught by the whole one")
struct DistillationTests {
  private func sequences(_ fixture: Fixture) throws -> TokenSequences {
    let file = try fixture.expected()
    let length = try #require(file.description(of: "tokens")?.shape.last)
    return try TokenSequences(tokens: try file.integers("tokens"), length: length)
  }

  @Test("losses and gradients are those of the reference", arguments: ["opt", "llama"])
  func reference(name: String) throws {
    let fixture = try Fixture(name)
    let folder = fixture.url.deletingLastPathComponent()
    let expected = try SafetensorsFile(
      path: folder.appending(path: "distillation-\(name).safetensors").path
    )
    let opened = try OpenedModel(fixture.url.path)
    let trained = try TrainedModel(opened.model, .pretraining())
      .keeping([1], of: [0, 1], in: opened)
    let teacher = try Teacher(opened.model, Distillation(logits: 0.7, hidden: 0.3), of: [1])
    var pass = TrainingPass(trained, teacher: teacher)
    let losses = try pass.add(sequences(fixture))
    for (found, wanted) in zip(losses.divergences, try expected.floats("divergences")) {
      #expect(abs(found - Double(wanted)) <= 1e-5 * Double(wanted))
    }
    let error = Double(try expected.floats("hiddenError")[0])
    #expect(losses.divergences.count == 2 && losses.hiddenErrors.count == 2)
    #expect(abs(losses.hiddenErrors[0] - error) <= 1e-5 * error)
    let names = expected.names.map(\.description).filter { $0.contains(".") }
    #expect(Set(trained.parameters.map(\.name)) == Set(names))
    for (parameter, gradient) in zip(trained.parameters, pass.gradients.values) {
      let reference = try expected.floats(TensorName(parameter.name))
      // Key biases shift all scores of a query alike: their gradient is zero but for rounding.
      if reference.allSatisfy({ abs($0) < 1e-6 }) {
        #expect(gradient.allSatisfy { abs($0) < 1e-4 }, "\(parameter.name)")
      } else {
        #expect(relativeError(gradient, reference) <= 1e-4, "\(parameter.name)")
      }
    }
  }

  @Test("a model that teaches itself has nothing to learn from it", arguments: ["opt", "llama"])
  func itself(name: String) throws {
    let fixture = try Fixture(name)
    let opened = try OpenedModel(fixture.url.path)
    let trained = try TrainedModel(opened.model, .pretraining())
    let teacher = try Teacher(opened.model, Distillation(logits: 1, hidden: 1), of: [0, 1])
    var (alone, taught) = (TrainingPass(trained), TrainingPass(trained, teacher: teacher))
    let plain = try alone.add(sequences(fixture))
    let losses = try taught.add(sequences(fixture))
    #expect(losses.divergences == [0, 0] && losses.hiddenErrors == [0, 0])
    #expect(losses.crossEntropies == plain.crossEntropies)
    #expect(taught.gradients == alone.gradients)
    #expect(plain.divergences.isEmpty && plain.hiddenErrors.isEmpty)
  }

  @Test("the course tells what was learnt from the teacher, once there is something to teach")
  func course() throws {
    let scratch = try ScratchDirectory()
    var chopping = Chopping(.remove(2), steps: 2, to: scratch.url("out"))
    chopping.options.removal.stepsBefore = 1
    chopping.options.distillation = Distillation(logits: 1, hidden: 1)
    let report = try chop(chopping.options)
    let steps = report.report.course.steps
    #expect(steps.map { $0.divergence != nil } == [false, true, true])
    #expect(steps.map { $0.hiddenError != nil } == [false, true, true])
    let saved = try json(scratch.url("out/surgeon-chop.json"))
    #expect(saved["course"]?["divergences"]?.array?.count == 3)
    #expect(saved["distillation"]?["logits"]?.double == 1)
    guard case .chop(let read) = try SavedReport(at: scratch.url("out")) else {
      Issue.record("the report of a removal was taken for another")
      return
    }
    #expect(read.report == report.report && read.file == report.file)
  }
}
