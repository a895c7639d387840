internal import ExactJSON
internal import Safetensors
internal import Tensors

/// Writes models in the layout of Hugging Face.
package enum CheckpointWriter {
  /// Writes a changed copy of a model; the directory appears only when it is complete.
  ///
  /// Weights are written as safetensors, sharded as in the source; tensors that are not replaced
  /// are copied byte for byte. The head that a tied model stores twice is written once.
  ///
  /// - Parameters:
  ///   - model: The model that is changed.
  ///   - changes: What changes.
  ///   - output: The directory to write, outside of the model's.
  ///   - overwrite: Whether a former output (a directory with a `config.json`) may be replaced.
  /// - Throws: ``CheckpointError``, `TensorError`, `SafetensorsError` or `FileError`, or what the
  ///   replacement throws. Then nothing is left, and what was there before stays.
  package static func write(
    _ model: ModelDirectory,
    _ changes: CheckpointChanges,
    to output: String,
    overwrite: Bool = false
  ) throws {
    let plan = try CheckpointPlan(model, changes)
    let companions = try model.companionFiles().filter { changes.extraFiles[$0] == nil }
    try checkNames(plan, changes)
    let staged = try StagedDirectory(
      output,
      existing: overwrite ? .replaced(ifContaining: ModelDirectory.configurationName) : .refused,
      apartFrom: model.path
    )
    for file in plan.files { try write(file, of: model, changes, in: staged.path) }
    if plan.isSharded {
      try write(indexBytes(plan), to: FilePath.join(staged.path, WeightFiles.indexName))
    }
    for name in companions { try copy(name, from: model.path, to: staged.path) }
    for (name, bytes) in changes.extraFiles.sorted(by: { $0.key < $1.key }) {
      try write(bytes, to: FilePath.join(staged.path, name))
    }
    try write(
      configurationBytes(model, changes.configuration),
      to: FilePath.join(staged.path, ModelDirectory.configurationName)
    )
    try staged.commit()
  }

  /// How large the weights of a changed copy are, without writing it.
  ///
  /// - Parameters:
  ///   - model: The model that is changed.
  ///   - changes: What changes.
  /// - Returns: The elements of all tensors, and the bytes of the weight files, headers included.
  /// - Throws: What ``write(_:_:to:overwrite:)`` throws for changes that do not fit the model.
  package static func size(
    of model: ModelDirectory,
    _ changes: CheckpointChanges = CheckpointChanges()
  ) throws -> (parameters: Int, bytes: Int) {
    let plan = try CheckpointPlan(model, changes)
    return try plan.files.reduce(into: (0, 0)) { sum, file in
      let tensors = file.tensors.map { tensor in
        SafetensorsWriter.Tensor(tensor.name, tensor.description) { [] as [UInt8] }
      }
      sum.0 += tensors.reduce(0) { $0 + $1.description.count }
      sum.1 += try SafetensorsWriter.byteCount(of: tensors)
    }
  }

  private static func checkNames(
    _ plan: CheckpointPlan,
    _ changes: CheckpointChanges
  ) throws(CheckpointError) {
    let reserved = Set(
      plan.files.map(\.name) + [ModelDirectory.configurationName]
        + WeightFiles.candidates.map(\.name)
    )
    for name in changes.extraFiles.keys.sorted() {
      guard FilePath.isPlainName(name), !reserved.contains(name) else {
        throw .invalidFileName(name)
      }
    }
  }

  private static func write(
    _ file: CheckpointPlan.File,
    of model: ModelDirectory,
    _ changes: CheckpointChanges,
    in directory: String
  ) throws {
    let tensors = file.tensors.map { tensor in
      SafetensorsWriter.Tensor(tensor.name, tensor.description) {
        if let content = tensor.content { return try content() }
        guard let values = try changes.replacement(tensor.source) else {
          return try model.tensors.bytes(tensor.source)
        }
        return try tensor.description.bytes(of: values, name: tensor.source)
      }
    }
    try SafetensorsWriter.write(tensors, to: FilePath.join(directory, file.name))
  }

  private static func indexBytes(_ plan: CheckpointPlan) -> [UInt8] {
    let (byteCount, fileOfTensor) = plan.index
    var map = JSONObject()
    for (name, file) in fileOfTensor { map[JSONText(utf8: name.utf8)] = JSONValue(file) }
    let index: JSONValue = [
      "metadata": ["total_size": JSONValue(byteCount)], "weight_map": .object(map),
    ]
    return JSONWriter.write(index, indent: 2)
  }

  private static func configurationBytes(
    _ model: ModelDirectory,
    _ patch: ConfigurationPatch
  ) -> [UInt8] {
    guard !patch.isEmpty else { return model.configurationBytes }
    return JSONWriter.write(patch.applied(to: model.configuration), indent: 2)
  }

  private static func copy(_ name: String, from: String, to: String) throws(FileError) {
    let file = try MappedFile(FilePath.join(from, name))
    var output = try OutputFile(FilePath.join(to, name))
    try output.write(file.bytes)
    try output.commit()
  }

  private static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
    var output = try OutputFile(path)
    try output.write(bytes)
    try output.commit()
  }
}
