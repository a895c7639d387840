package import Tensors

/// Why a model cannot be found, read or written.
package enum CheckpointError: Error, Equatable, CustomStringConvertible {
  /// The argument is no directory, and looks like a path.
  case noDirectory(String)
  /// The argument is neither a directory nor the name of a repository.
  case invalidModelName(String)
  /// The repository is not in the local cache; with its revision, and the place that was searched.
  case notInCache(repository: String, revision: String, cache: String)
  /// A file that every model has is not there.
  case missingFile(String)
  /// A text file is not what it should be; with the reason.
  case invalidFile(String, reason: String)
  /// A directory has no weights in a format that is read.
  case noWeights(String)
  /// Files that the index names are not there.
  case missingShards(String, names: [String])
  /// The index says that a tensor is in a file, but it is not.
  case missingFromShard(TensorName, shard: String)
  /// A file holds a tensor that the index does not place there.
  case missingFromIndex(TensorName, shard: String)
  /// Two tensors of the output would have the same name.
  case duplicateTensor(TensorName)
  /// A packed matrix whose parts contradict each other; with one of them, and the reason.
  case invalidPacking(TensorName, reason: String)
  /// The output exists and is not empty.
  case outputExists(String)
  /// The output exists, and is not something this program wrote; with the file it lacks.
  case outputNotReplaceable(String, missing: String)
  /// The output and the source are the same or one is within the other.
  case outputOverlapsSource(output: String, source: String)
  /// A file of the output may not be called that, or is written already.
  case invalidFileName(String)

  package var description: String {
    switch self {
    case .noDirectory(let path): "\(path) is not a directory"
    case .invalidModelName(let name):
      "\(name) is neither a directory nor the name of a model such as org/name or org/name@revision"
    case .notInCache(let repository, let revision, let cache):
      "\(repository) (revision \(revision)) is not in \(cache);"
        + " fetch it with: hf download \(repository)"
        + (revision == ModelLocation.defaultRevision ? "" : " --revision \(revision)")
    case .missingFile(let path): "\(path) is missing"
    case .invalidFile(let path, let reason): "\(path): \(reason)"
    case .noWeights(let path):
      "\(path) has no weights: no \(WeightFiles.candidates.map(\.name).joined(separator: ", "))"
    case .missingShards(let path, let names):
      "\(path) is incomplete; missing: \(names.joined(separator: ", "))"
    case .missingFromShard(let name, let shard):
      "the index places the tensor \"\(name)\" in \(shard), which does not have it"
    case .missingFromIndex(let name, let shard):
      "\(shard) has the tensor \"\(name)\", which the index does not place there"
    case .duplicateTensor(let name): "two tensors of the output are called \"\(name)\""
    case .invalidPacking(let name, let reason):
      "the packed tensor \"\(name)\" is damaged: \(reason)"
    case .outputExists(let path):
      "\(path) exists and is not empty; choose another directory or allow it to be overwritten"
    case .outputNotReplaceable(let path, let missing):
      "\(path) is not overwritten, because it has no \(missing); delete it yourself if it may go"
    case .outputOverlapsSource(let output, let source):
      "the output \(output) and the model \(source) must not lie within each other"
    case .invalidFileName(let name): "no file of the output may be called \"\(name)\""
    }
  }
}
