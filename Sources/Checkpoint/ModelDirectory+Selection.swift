package import Tensors

extension ModelDirectory {
  /// The model with only some of its tensors, under other names: a view, nothing is copied.
  ///
  /// - Parameters:
  ///   - names: The new name of each tensor that is kept, by its name in this model; no two alike.
  ///   - tensors: The values of this model's tensors; its own, or others in front of them.
  ///   - patch: What changes in the configuration.
  /// - Returns: A model in the same directory, whose other files come along when it is written.
  package func keeping(
    _ names: [TensorName: TensorName],
    of tensors: any TensorSource,
    _ patch: ConfigurationPatch
  ) -> ModelDirectory {
    ModelDirectory(
      path: path,
      configuration: patch.applied(to: configuration),
      tensors: RenamedTensors(tensors, names),
      layout: WeightLayout(
        format: layout.format,
        isSharded: layout.isSharded,
        files: layout.files,
        fileOfTensor: layout.fileOfTensor.reduce(into: [:]) { files, entry in
          if let name = names[entry.key] { files[name] = entry.value }
        }
      )
    )
  }
}

/// Some tensors of another source under other names.
struct RenamedTensors: TensorSource {
  private let base: any TensorSource
  /// The names in the base, by the names here.
  private let origins: [TensorName: TensorName]
  let names: [TensorName]

  /// Takes the new names by those in the base; no two new ones are alike.
  init(_ base: any TensorSource, _ names: [TensorName: TensorName]) {
    self.base = base
    origins = Dictionary(uniqueKeysWithValues: names.map { ($0.value, $0.key) })
    self.names = origins.keys.sorted()
  }

  func description(of name: TensorName) -> TensorDescription? {
    origins[name].flatMap { base.description(of: $0) }
  }

  func floats(_ name: TensorName) throws -> [Float] { try base.floats(origin(name)) }
  func integers(_ name: TensorName) throws -> [Int] { try base.integers(origin(name)) }
  func bytes(_ name: TensorName) throws -> [UInt8] { try base.bytes(origin(name)) }

  func withBytes<Result>(
    _ name: TensorName,
    _ body: (RawSpan) throws -> Result
  ) throws -> Result {
    try base.withBytes(origin(name), body)
  }

  private func origin(_ name: TensorName) throws(TensorError) -> TensorName {
    guard let origin = origins[name] else { throw .missing(name) }
    return origin
  }
}
