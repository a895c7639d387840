internal import Safetensors
internal import Tensors

/// Which tensors a checkpoint will hold, and in which files.
struct CheckpointPlan {
  /// A tensor of the output.
  struct Tensor {
    /// Its name in the source.
    let source: TensorName
    /// Its name in the output.
    let name: TensorName
    /// Its shape and element type in the output.
    let description: TensorDescription
    /// Makes its bytes; nil where it is that of the source, or its replacement.
    let content: (() throws -> [UInt8])?
  }

  /// A file of the output.
  struct File {
    let name: String
    let tensors: [Tensor]
  }

  /// The files that hold tensors, sorted by name.
  let files: [File]
  /// Whether the output has an index.
  let isSharded: Bool

  /// Plans the output.
  ///
  /// - Parameters:
  ///   - model: The source; its way of sharding is kept.
  ///   - changes: What changes.
  /// - Throws: `TensorError` if a change names a tensor that does not exist, ``CheckpointError`` if
  ///   two tensors would get the same name.
  init(_ model: ModelDirectory, _ changes: CheckpointChanges) throws {
    let named = changes.removed.union(changes.renamed.keys).union(changes.shapes.keys)
      .union(changes.substitutes.keys)
    for name in named.sorted() { _ = try model.tensors.existing(name) }
    let dropped = changes.removed.union(Self.tiedDuplicates(model))
    var tensorsOfFile: [String: [Tensor]] = [:]
    var taken: Set<TensorName> = []
    for source in model.tensors.names where !dropped.contains(source) {
      for tensor in try Self.tensors(for: source, model, changes) {
        guard taken.insert(tensor.name).inserted else {
          throw CheckpointError.duplicateTensor(tensor.name)
        }
        tensorsOfFile[model.layout.fileOfTensor[source] ?? "", default: []].append(tensor)
      }
    }
    isSharded = model.layout.isSharded
    let kept = model.layout.files.filter { tensorsOfFile[$0] != nil }
    let names = Self.outputNames(model.layout, kept)
    files = zip(kept, names).map { File(name: $1, tensors: tensorsOfFile[$0] ?? []) }
  }

  /// What becomes of a tensor of the source.
  private static func tensors(
    for source: TensorName,
    _ model: ModelDirectory,
    _ changes: CheckpointChanges
  ) throws -> [Tensor] {
    if let substitutes = changes.substitutes[source] {
      return substitutes.map {
        Tensor(source: source, name: $0.name, description: $0.description, content: $0.content)
      }
    }
    let old = try model.tensors.existing(source)
    let description = TensorDescription(
      elementType: old.elementType,
      shape: changes.shapes[source] ?? old.shape
    )
    let name = changes.renamed[source] ?? source
    return [Tensor(source: source, name: name, description: description, content: nil)]
  }

  /// The index file's members: the total size in bytes, and the file of each tensor by name.
  var index: (byteCount: Int, fileOfTensor: [(TensorName, String)]) {
    let all = files.flatMap { file in file.tensors.map { ($0, file.name) } }
    let byteCount = all.reduce(0) { $0 + $1.0.description.byteCount }
    return (byteCount, all.map { ($0.0.name, $0.1) }.sorted { $0.0 < $1.0 })
  }

  /// The file names of the output: those of safetensors files stay.
  private static func outputNames(_ layout: WeightLayout, _ files: [String]) -> [String] {
    guard layout.isSharded else { return files.map { _ in WeightFiles.singleName } }
    guard layout.format == .torch else { return files }
    return (1...max(1, files.count)).map {
      "model-\(padded($0))-of-\(padded(files.count)).safetensors"
    }
  }

  private static func padded(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
  }

  /// Output heads that are stored although the token embedding, also stored, takes their place.
  private static func tiedDuplicates(_ model: ModelDirectory) -> Set<TensorName> {
    guard model.tiesEmbeddings else { return [] }
    func stored(_ suffixes: [String]) -> [TensorName] {
      model.tensors.names.filter { name in
        suffixes.contains { name.utf8.reversed().starts(with: $0.utf8.reversed()) }
      }
    }
    guard !stored(["embed_tokens.weight", "embed_in.weight", "wte.weight"]).isEmpty else {
      return []
    }
    return Set(stored(["lm_head.weight", "embed_out.weight"]))
  }
}
