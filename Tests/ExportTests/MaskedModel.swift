import Checkpoint
import ExactJSON
import Export
import Foundation
import LinearAlgebra
import Safetensors
import Tensors
import TestKit
import Testing
import Transformer

/// A copy of a fixture with zeros where a test put them, as a directory.
struct MaskedModel {
  let scratch: ScratchDirectory
  let name: String
  let directory: ModelDirectory
  let tokens: TokenSequences

  /// Where something is removed from a weight.
  enum Part {
    case columns([Int])
    case heads([Int])
    /// All but two of each four in a row.
    case halves
  }

  /// Writes the model.
  ///
  /// - Parameters:
  ///   - name: The fixture.
  ///   - type: How the weights are stored.
  ///   - removed: What is removed from a layer, if anything.
  init(
    _ name: String,
    _ type: ElementType = .float32,
    configuration: (inout JSONObject) -> Void = { _ in },
    removing removed: (LinearDescription) -> Part?
  ) throws {
    self.name = name
    scratch = try ScratchDirectory()
    let root = try #require(Bundle.module.resourceURL).appending(path: "Golden/\(name)")
    let source = try ModelDirectory(root.path)
    var object = try #require(source.configuration.object)
    configuration(&object)
    let model = try DecoderModel(
      configuration: ModelConfiguration(config: .object(object)),
      source: source.tensors
    )
    var values: [TensorName: [Float]] = [:]
    for tensor in source.tensors.names { values[tensor] = try source.tensors.floats(tensor) }
    for linear in model.linears {
      guard let part = removed(linear), let weight = values[linear.weight] else { continue }
      values[linear.weight] = Self.zeroed(weight, linear, part, model.decoder.headSize)
    }
    let tensors = values.map { name, numbers in
      let shape = source.tensors.description(of: name)?.shape ?? []
      return SafetensorsWriter.Tensor(
        name,
        TensorDescription(elementType: type, shape: shape),
        floats: { numbers }
      )
    }
    try scratch.write("in/config.json", JSONWriter.write(.object(object), indent: 2))
    try SafetensorsWriter.write(tensors, to: scratch.path("in/model.safetensors"))
    directory = try ModelDirectory(scratch.path("in"))
    let expected = try SafetensorsFile(path: root.appending(path: "expected.safetensors").path)
    let length = try #require(expected.description(of: "tokens")?.shape[1])
    tokens = try TokenSequences(tokens: try expected.integers("tokens"), length: length)
  }

  private static func zeroed(
    _ weight: [Float],
    _ linear: LinearDescription,
    _ part: Part,
    _ headSize: Int
  ) -> [Float] {
    func isGone(_ column: Int, _ row: Int) -> Bool {
      switch part {
      case .columns(let columns): columns.contains(column)
      case .heads(let heads): heads.contains(column / headSize)
      case .halves: (column + row) % 4 < 2
      }
    }
    return weight.indices.map { index in
      isGone(index % linear.inputs, index / linear.inputs) ? 0 : weight[index]
    }
  }

  /// The model that a directory holds.
  func model(_ directory: ModelDirectory) throws -> DecoderModel {
    try DecoderModel(
      configuration: ModelConfiguration(config: directory.configuration),
      source: directory.tensors
    )
  }

  /// Writes the model in a profile and opens the result.
  func export(
    as profile: Profile,
    from source: ModelDirectory? = nil,
    to name: String = "out",
    hasLegacyEntry: Bool = false
  ) throws -> (directory: ModelDirectory, export: HuggingFaceExport) {
    let source = source ?? directory
    let export = try HuggingFaceExport(
      HuggingFaceExport.Source(
        source,
        ModelConfiguration(config: source.configuration),
        model: try model(source),
        fingerprint: "\(try source.fingerprint())"
      ),
      as: profile,
      hasLegacyEntry: hasLegacyEntry
    )
    try CheckpointWriter.write(source, export.changes, to: scratch.path(name))
    return (try ModelDirectory(scratch.path(name)), export)
  }

  /// The greatest difference between the logits of a directory and those of this model, in relation
  /// to the greatest logit.
  func logitError(of directory: ModelDirectory) throws -> Float {
    let expected = try model(self.directory).logits(tokens).storage
    let found = try model(directory).logits(tokens).storage
    let largest = expected.map(abs).max() ?? 0
    return (zip(expected, found).map { abs($0 - $1) }.max() ?? .infinity) / largest
  }

  /// The size of a directory's weights in bytes.
  func weightBytes(_ name: String) throws -> Int {
    try scratch.read("\(name)/model.safetensors").count
  }

  /// The number of parameters of a directory.
  static func parameters(_ directory: ModelDirectory) throws -> Int {
    try directory.tensors.names.reduce(0) { try $0 + directory.tensors.existing($1).count }
  }
}
