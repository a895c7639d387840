import DemonstrationModel
import ExactJSON
import Foundation
import LLMSurgeon
import Pruning
import Safetensors
import Tensors
import TestKit
import Testing

@Suite("Element types")
struct ElementTypeTests {
  @Test("half precision stays half precision")
  func embedded() throws {
    let scratch = try ScratchDirectory()
    let statistics = scratch.url("statistics")
    _ = try calibrate(
      CalibrationOptions(
        model: DemonstrationModel.directory.path,
        input: .text([DemonstrationModel.calibrationText]),
        windows: WindowChoice(samples: 2, length: 64),
        output: statistics
      )
    )
    let windows = TokenInput.tokens(statistics.appending(path: "tokens.safetensors"))
    for removal in [Removal(.element, 0.5), Removal(.rowsColumns, 0.3)] {
      let model = try PrunedModel(
        DemonstrationModel.directory,
        statistics: statistics,
        removal,
        to: scratch.url("pruned-\(removal.structure)"),
        solver: SolverChoice(steps: 1, repairSteps: 3)
      )
      try check(model, .float16, removal)
      let result = try evaluate(EvaluationOptions(model: model.url.path, input: windows))
      let loss = try json(model.url.appending(path: "surgeon-report.json"))["loss"]
      #expect(loss?["pruned"]?.double == result.loss)
      let changed = try differences(DemonstrationModel.directory, model.url)
      #expect(!changed.contains("tokenizer.json") && changed.contains("model.safetensors"))
    }
  }

  @Test("bfloat16 and float64 stay as they are", arguments: [ElementType.bfloat16, .float64])
  func converted(type: ElementType) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama3")
    let original = try SafetensorsFile(path: fixture.url.appending(path: "model.safetensors").path)
    try scratch.write(
      "model/config.json",
      [UInt8](Data(contentsOf: fixture.url.appending(path: "config.json")))
    )
    let tensors = try original.names.map { name in
      let shape = try #require(original.description(of: name)).shape
      return SafetensorsWriter.Tensor(
        name,
        TensorDescription(elementType: type, shape: shape),
        floats: { try original.floats(name) }
      )
    }
    try SafetensorsWriter.write(tensors, to: scratch.path("model/model.safetensors"))
    _ = try calibrate(
      CalibrationOptions(
        model: scratch.path("model"),
        input: fixture.input,
        output: scratch.url("statistics")
      )
    )
    for (index, removal) in [Removal(.element, 0.5), Removal(.rowsColumns, 0.3)].enumerated() {
      let model = try PrunedModel(
        scratch.url("model"),
        statistics: scratch.url("statistics"),
        removal,
        to: scratch.url("pruned-\(index)")
      )
      try check(model, type, removal)
      let result = try evaluate(EvaluationOptions(model: model.url.path, input: fixture.input))
      let loss = try json(model.url.appending(path: "surgeon-report.json"))["loss"]
      #expect(loss?["pruned"]?.double == result.loss)
    }
  }

  private func check(_ model: PrunedModel, _ type: ElementType, _ removal: Removal) throws {
    for name in model.tensors.names {
      #expect(model.tensors.description(of: name)?.elementType == type)
    }
    let weights = try model.weights()
    let total = weights.reduce(0) { $0 + $1.values.count }
    let zeros = weights.reduce(0) { $0 + $1.zeros }
    // The zeros of rounding count where single weights go, and are few where rows and columns do.
    let rounded = Double(zeros) - model.report.shareRemoved * Double(total)
    #expect(abs(rounded) < 0.5 || removal.structure.isStructured && rounded > 0)
    #expect(rounded < 1e-4 * Double(total))
    #expect(Double(zeros) / Double(total) > removal.share - 0.001)
  }
}
