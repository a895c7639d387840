import Foundation
import Safetensors
import Tensors
import Testing

/// The weights of a checkpoint, counted one by one.
struct CountedWeights {
  private let file: SafetensorsFile
  private let bytes: Int

  init(_ directory: URL) throws {
    let path = directory.appending(path: "model.safetensors").path
    file = try SafetensorsFile(path: path)
    bytes = try Data(contentsOf: URL(filePath: path)).count
  }

  private func sum(_ parts: [String], _ value: (TensorDescription) -> Int) -> Int {
    file.names.reduce(0) { sum, name in
      guard let description = file.description(of: name),
        parts.contains(where: { "\(name)".contains($0) })
      else { return sum }
      return sum + value(description)
    }
  }

  /// The bytes before the first tensor.
  var header: Int { bytes - sum([""]) { $0.byteCount } }

  func size(_ kind: SizeTargetTests.Kind) -> Int {
    switch kind {
    case .parameters: sum(["model."]) { $0.count } + sum(["lm_head"]) { $0.count }
    case .bytes: bytes
    case .cache: sum(["k_proj.weight", "v_proj.weight"]) { $0.shape[0] * 4 }
    }
  }

  /// What one more structure of a block would add: a neuron where some went, or a head.
  func step(_ kind: SizeTargetTests.Kind, from pruned: CountedWeights) -> Int {
    let (inner, down) = (["gate_proj", "up_proj", "fc1"], ["down_proj.weight", "fc2.weight"])
    let width = pruned.sum(down) { $0.shape[1] }
    let losesNeurons = width < sum(down) { $0.shape[1] }
    guard kind != .cache else { return 2 * 8 * 4 }
    let unit = kind == .bytes ? 4 : 1
    if losesNeurons {
      let neurons = sum(down) { $0.shape[1] }
      return (sum(inner) { $0.count } + sum(down) { $0.count }) / neurons * unit
    }
    let attention = sum(["q_proj", "k_proj", "v_proj", "o_proj.weight"]) { $0.count }
    return attention / (sum(["k_proj.weight"]) { $0.shape[0] } / 8) * unit
  }
}
