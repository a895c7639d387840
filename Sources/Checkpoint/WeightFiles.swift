internal import ExactJSON
package import Tensors
internal import Safetensors
internal import TorchArchive

/// How the weights of a model are spread over files.
package struct WeightLayout: Equatable, Sendable {
  /// A file format.
  package enum Format: Sendable {
    case safetensors, torch
  }

  /// The format of the files.
  package let format: Format
  /// Whether there is an index.
  package let isSharded: Bool
  /// The names of the files, sorted by bytes.
  package let files: [String]
  /// The file of each tensor.
  package let fileOfTensor: [TensorName: String]
}

/// The weights of a model directory.
struct WeightFiles {
  /// A file that says where the weights are.
  struct Candidate {
    let name: String
    let format: WeightLayout.Format
    let isIndex: Bool
  }

  /// The file name of weights that are not sharded, when written.
  static let singleName = "model.safetensors"
  /// The file name of the index, when written.
  static let indexName = "model.safetensors.index.json"

  /// The files that are looked for, in this order.
  static let candidates = [
    Candidate(name: singleName, format: .safetensors, isIndex: false),
    Candidate(name: indexName, format: .safetensors, isIndex: true),
    Candidate(name: "pytorch_model.bin", format: .torch, isIndex: false),
    Candidate(name: "pytorch_model.bin.index.json", format: .torch, isIndex: true),
  ]

  let layout: WeightLayout
  let tensors: any TensorSource

  /// Opens all weight files of a directory; packed tensors are served with their zeros.
  init(_ directory: String) throws {
    let stored = try WeightFiles(stored: directory)
    guard let packed = try PackedTensors(stored.tensors) else {
      self = stored
      return
    }
    tensors = packed
    layout = WeightLayout(
      format: stored.layout.format,
      isSharded: stored.layout.isSharded,
      files: stored.layout.files,
      fileOfTensor: packed.files(stored.layout.fileOfTensor)
    )
  }

  /// Opens all weight files of a directory as they are.
  private init(stored directory: String) throws {
    let found = Self.candidates.first { FileSystem.exists(FilePath.join(directory, $0.name)) }
    guard let found else { throw CheckpointError.noWeights(directory) }
    guard found.isIndex else {
      let source = try Self.open(FilePath.join(directory, found.name), found.format)
      let names = source.names.map { ($0, found.name) }
      layout = WeightLayout(
        format: found.format,
        isSharded: false,
        files: [found.name],
        fileOfTensor: Dictionary(uniqueKeysWithValues: names)
      )
      tensors = source
      return
    }
    let fileOfTensor = try Self.index(FilePath.join(directory, found.name), found.format)
    let files = Set(fileOfTensor.values).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let missing = files.filter { !FileSystem.exists(FilePath.join(directory, $0)) }
    guard missing.isEmpty else { throw CheckpointError.missingShards(directory, names: missing) }
    let shards = try files.map { try Self.open(FilePath.join(directory, $0), found.format) }
    tensors = try ShardedTensors(files: files, shards: shards, fileOfTensor: fileOfTensor)
    layout = WeightLayout(
      format: found.format,
      isSharded: true,
      files: files,
      fileOfTensor: fileOfTensor
    )
  }

  private static func open(
    _ path: String,
    _ format: WeightLayout.Format
  ) throws -> any TensorSource {
    switch format {
    case .safetensors: try SafetensorsFile(path: path)
    case .torch: try TorchArchive(path: path)
    }
  }

  /// Reads an index; the files it names are within the directory and of the right kind.
  private static func index(
    _ path: String,
    _ format: WeightLayout.Format
  ) throws -> [TensorName: String] {
    let (_, index) = try JSONFile.read(path)
    guard let members = index["weight_map"]?.object?.members, !members.isEmpty else {
      throw CheckpointError.invalidFile(path, reason: "\"weight_map\" is missing or empty")
    }
    let suffix = format == .safetensors ? ".safetensors" : ".bin"
    var fileOfTensor: [TensorName: String] = [:]
    for (key, value) in members {
      guard let file = value.string, FilePath.isPlainName(file), file.hasSuffix(suffix) else {
        let reason = "the file of the tensor \"\(key.string)\" is not a \(suffix) file beside it"
        throw CheckpointError.invalidFile(path, reason: reason)
      }
      fileOfTensor[TensorName(utf8: key.utf8)] = file
    }
    return fileOfTensor
  }
}

/// Small JSON files.
enum JSONFile {
  /// The longest file that is read, in bytes.
  private static let longest = 100_000_000

  /// Reads a JSON object.
  static func read(_ path: String) throws -> (bytes: [UInt8], value: JSONValue) {
    let file = try MappedFile(path)
    guard file.count <= longest else {
      throw CheckpointError.invalidFile(path, reason: "it is longer than \(longest) bytes")
    }
    let bytes = file.copy()
    let value: JSONValue
    do { value = try JSONParser.parse(bytes) } catch {
      throw CheckpointError.invalidFile(path, reason: "\(error)")
    }
    guard value.object != nil else {
      throw CheckpointError.invalidFile(path, reason: "it is not a JSON object")
    }
    return (bytes, value)
  }
}

/// Tensors that are spread over several files.
struct ShardedTensors: TensorSource {
  let names: [TensorName]
  private let shards: [any TensorSource]
  private let shardOfTensor: [TensorName: Int]

  /// Joins files, after checking that they hold what the index says and nothing else.
  init(
    files: [String],
    shards: [any TensorSource],
    fileOfTensor: [TensorName: String]
  ) throws(CheckpointError) {
    var shardOfTensor: [TensorName: Int] = [:]
    for (number, shard) in shards.enumerated() {
      for name in shard.names {
        guard fileOfTensor[name] == files[number] else {
          throw .missingFromIndex(name, shard: files[number])
        }
        shardOfTensor[name] = number
      }
    }
    names = fileOfTensor.keys.sorted()
    for name in names where shardOfTensor[name] == nil {
      throw .missingFromShard(name, shard: fileOfTensor[name] ?? "")
    }
    self.shards = shards
    self.shardOfTensor = shardOfTensor
  }

  func description(of name: TensorName) -> TensorDescription? {
    shardOfTensor[name].flatMap { shards[$0].description(of: name) }
  }

  func bytes(_ name: TensorName) throws -> [UInt8] { try shard(name).bytes(name) }

  func floats(_ name: TensorName) throws -> [Float] { try shard(name).floats(name) }

  func integers(_ name: TensorName) throws -> [Int] { try shard(name).integers(name) }

  func withBytes<Result>(
    _ name: TensorName,
    _ body: (RawSpan) throws -> Result
  ) throws -> Result {
    try shard(name).withBytes(name, body)
  }

  private func shard(_ name: TensorName) throws(TensorError) -> any TensorSource {
    guard let number = shardOfTensor[name] else { throw .missing(name) }
    return shards[number]
  }
}
