import Export
import ExactJSON
import Foundation
import LLMSurgeon
import Pruning
import Safetensors
import Tensors
import TestKit
import Testing

/// What one pruning is asked to do, for test arguments.
struct Removal: Sendable, CustomTestStringConvertible {
  /// Every structure and a target for it.
  static let structures: [(Structure, Double?)] = [
    (.element, 0.5), (.nm(kept: 2, of: 4), nil), (.nm(kept: 1, of: 2), 0.3), (.rowsColumns, 0.4),
    (.rows, 0.3), (.columns, 0.3), (.units([.neurons, .heads]), 0.3),
  ]
  /// Every structure with every method that removes by it.
  static let all = structures.flatMap { structure, target in
    let isWhole = structure == .element || target == nil
    return Method.allCases.filter { $0 != .activation && (!$0.isLayerLocal || isWhole) }.map {
      Removal(structure, target, $0)
    }
  }

  /// Every structure with the method that repairs.
  static let repaired = all.filter { $0.method == .surgeon }

  let structure: Structure
  let target: Double?
  let method: Method

  init(_ structure: Structure, _ target: Double?, _ method: Method = .surgeon) {
    self.structure = structure
    self.target = target
    self.method = method
  }

  var choice: RemovalChoice {
    RemovalChoice(structure: structure, target: target, method: method)
  }
  /// The share that is to be removed.
  var share: Double { target ?? structure.largestShare }
  var testDescription: String { "\(structure) \(method.rawValue)" }
}

/// A written checkpoint beside the report and the model that it comes from.
struct PrunedModel {
  /// A prunable weight as the checkpoint holds it.
  struct Weight {
    let name: TensorName
    let outputs: Int
    let inputs: Int
    let values: [Float]
    let bias: [Float]?

    var zeros: Int { values.count { $0 == 0 } }
    func row(_ index: Int) -> ArraySlice<Float> { values[index * inputs..<(index + 1) * inputs] }
    func column(_ index: Int) -> [Float] { (0..<outputs).map { values[$0 * inputs + index] } }
  }

  let url: URL
  let report: PruneReport
  let tensors: SafetensorsFile

  /// Prunes a model from statistics.
  init(
    _ model: URL,
    statistics: URL,
    _ removal: Removal,
    to url: URL,
    solver: SolverChoice = SolverChoice(steps: 3)
  ) throws {
    self.url = url
    report = try prune(
      PruneOptions(
        model: model.path,
        data: .statistics(statistics),
        removal: removal.choice,
        solver: solver,
        profile: .masked,
        output: url
      )
    )
    tensors = try SafetensorsFile(path: url.appending(path: "model.safetensors").path)
  }

  /// Opens a model that was pruned already.
  init(_ url: URL, _ report: PruneReport) throws {
    self.url = url
    self.report = report
    tensors = try SafetensorsFile(path: url.appending(path: "model.safetensors").path)
  }

  /// The prunable weights, as `surgeon-report.json` lists them.
  func weights() throws -> [Weight] {
    let layers = try #require(try json(url.appending(path: "surgeon-report.json"))["layers"]?.array)
    return try layers.map { layer in
      let stem = try #require(layer["name"]?.string)
      let name = TensorName("\(stem).weight")
      let bias = TensorName("\(stem).bias")
      return Weight(
        name: name,
        outputs: try #require(layer["outputs"]?.integer),
        inputs: try #require(layer["inputs"]?.integer),
        values: try tensors.floats(name),
        bias: tensors.description(of: bias) == nil ? nil : try tensors.floats(bias)
      )
    }
  }
}
