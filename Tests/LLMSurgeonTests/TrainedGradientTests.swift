import Checkpoint
import Foundation
import Safetensors
import Tensors
import TestKit
import Testing
import Training
import Transformer

@testable import LLMSurgeon

@Suite("Gradients of what is trained")
struct TrainedGradientTests {
  @Test("gradients are those of the reference implementation", arguments: ["opt", "llama"])
  func gradients(name: String) throws {
    let fixture = try Fixture(name)
    let root = fixture.url.deletingLastPathComponent()
    let expected = try SafetensorsFile(
      path: root.appending(path: "gradients-\(name).safetensors").path
    )
    var choice = TrainingChoice(groups: [.biases, .norms, .full])
    choice.seed = 3
    let opened = try OpenedModel(fixture.url.path)
    let trained = try TrainedModel(opened.model, choice)
    var pass = TrainingPass(trained)
    let file = try fixture.expected()
    let length = try #require(file.description(of: "tokens")?.shape.last)
    let sequences = try TokenSequences(tokens: try file.integers("tokens"), length: length)
    _ = try pass.add(sequences)
    // Every parameter but the embeddings is trained.
    let names = Set(expected.names.map(\.description).filter { !$0.contains("embed") })
    #expect(Set(trained.parameters.map(\.name)) == names.subtracting(["lm_head.weight"]))
    for (parameter, gradient) in zip(trained.parameters, pass.gradients.values) {
      let reference = try expected.floats(TensorName(parameter.name))
      // Key biases shift all scores of a query alike: their gradient is zero but for rounding.
      let isZero = reference.allSatisfy { abs($0) < 1e-6 }
      if isZero {
        #expect(gradient.allSatisfy { abs($0) < 1e-5 }, "\(parameter.name)")
      } else {
        #expect(relativeError(gradient, reference) <= 1e-4, "\(parameter.name)")
      }
    }
  }

  @Test("embeddings, and a head that is tied to them, get the sum of their gradients")
  func embeddingGradients() throws {
    for (name, isTied) in [("opt", true), ("llama", false)] {
      let fixture = try Fixture(name)
      let root = fixture.url.deletingLastPathComponent()
      let expected = try SafetensorsFile(
        path: root.appending(path: "gradients-\(name).safetensors").path
      )
      let model = try OpenedModel(fixture.url.path).model
      let trained = try TrainedModel(model, TrainingChoice(groups: [.embeddings]))
      #expect(trained.parameters.allSatisfy { $0.decays })
      var pass = TrainingPass(trained)
      let file = try fixture.expected()
      let length = try #require(file.description(of: "tokens")?.shape.last)
      _ = try pass.add(TokenSequences(tokens: try file.integers("tokens"), length: length))
      for (parameter, gradient) in zip(trained.parameters, pass.gradients.values) {
        var reference = try expected.floats(TensorName(parameter.name))
        // The reference has a head of its own.
        if isTied, parameter.name == "\(model.tokenEmbedding)" {
          let head = try expected.floats("lm_head.weight")
          for index in head.indices { reference[index] += head[index] }
        }
        #expect(relativeError(gradient, reference) <= 1e-4, "\(parameter.name)")
      }
      #expect(trained.parameters.count == 2)
    }
  }

  @Test("the head's factors get the gradient of its matrix", arguments: ["opt", "llama"])
  func headGradient(name: String) throws {
    let fixture = try Fixture(name)
    let root = fixture.url.deletingLastPathComponent()
    let expected = try SafetensorsFile(
      path: root.appending(path: "gradients-\(name).safetensors").path
    )
    var choice = TrainingChoice(groups: [.head])
    choice.rank = 2
    choice.alpha = 2
    let opened = try OpenedModel(fixture.url.path)
    let extended = try ModelExtension(of: opened, for: choice)
    let model = try extended.model(of: opened, with: opened.directory.tensors)
    let trained = try TrainedModel(model, choice)
    var pass = TrainingPass(trained)
    let file = try fixture.expected()
    let length = try #require(file.description(of: "tokens")?.shape.last)
    _ = try pass.add(TokenSequences(tokens: try file.integers("tokens"), length: length))
    let (hidden, vocabulary) = (model.decoder.hiddenSize, model.decoder.vocabulary)
    let gradient = try expected.floats("lm_head.weight")
    let a = trained.parameters[0].values
    // B starts at zero, so A has no gradient, and that of B is G Aᵀ.
    #expect(pass.gradients.values[0].allSatisfy { $0 == 0 })
    var product = [Float](repeating: 0, count: vocabulary * 2)
    for row in 0..<vocabulary {
      for column in 0..<2 {
        product[row * 2 + column] = (0..<hidden).reduce(0) {
          $0 + gradient[row * hidden + $1] * a[column * hidden + $1]
        }
      }
    }
    #expect(relativeError(pass.gradients.values[1], product) <= 1e-4)
  }
}
