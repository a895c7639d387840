/// Why a job cannot be done as asked; the description says what, where, and what to do.
public enum JobError: Error, Equatable {
  /// A text or token file cannot be read.
  case unreadable(path: String, reason: String)
  /// A text gives fewer tokens than the windows need.
  case textTooShort(path: String, tokens: Int, needed: Int)
  /// More windows are asked for than there are.
  case tooFewWindows(path: String, available: Int, asked: Int)
  /// The rows of a token file have another length than asked for.
  case lengthMismatch(path: String, found: Int, asked: Int)
  /// A token file holds something else than `tokens`, or a number that is no token.
  case badTokenFile(path: String, reason: String)
  /// The statistics belong to another model.
  case foreignStatistics(path: String, reason: String)
  /// A statistics directory is damaged, unfinished, or of an unknown version.
  case badStatistics(path: String, reason: String)
  /// Statistics of a part of the windows are used alone.
  case loneShard(path: String, CalibrationShard)
  /// Statistics cannot be merged with others.
  case foreignShard(path: String, reason: String)
  /// Shards are missing, by their numbers.
  case missingShards([Int], count: Int)
  /// The remains of an interrupted run are damaged.
  case damagedRemains(path: String, reason: String)
  /// A timing table is damaged or of an unknown version.
  case badTimingTable(path: String, reason: String)
  /// A setting makes no sense for this model.
  case badSetting(String)
  /// An unfinished run of other settings occupies the place where this one would keep its own.
  case foreignRemains(path: String)
  /// An unfinished run was computed by other kernels, which round otherwise.
  case otherKernels(path: String, kernels: String)
  /// Another process is making the same output.
  case inUse(path: String)
  /// An output directory cannot be made or moved into place.
  case unwritable(path: String, reason: String)
  /// The output exists and may not be replaced.
  case outputExists(path: String)
  /// The output exists and is not of the kind that would replace it.
  case outputIsForeign(path: String, mark: String)
  /// The calibration yields NaN or infinity.
  case notFinite(String)
}

extension JobError: CustomStringConvertible {
  /// One line for the person at the terminal.
  public var description: String {
    switch self {
    case .unreadable(let path, let reason): "cannot read \(path): \(reason)"
    case .textTooShort(let path, let tokens, let needed):
      "\(path) has \(tokens) tokens, but one window needs \(needed); "
        + "give more text or a smaller --length"
    case .tooFewWindows(let path, let available, let asked):
      "\(path) has \(available) windows, but \(asked) are asked for; ask for fewer"
    case .lengthMismatch(let path, let found, let asked):
      "the rows of \(path) have \(found) tokens, not \(asked); leave --length out"
    case .badTokenFile(let path, let reason):
      "\(path) is no token file: \(reason); "
        + "it must be safetensors with one integer tensor `tokens` [sequences, length]"
    case .foreignStatistics(let path, let reason):
      "the statistics in \(path) belong to another model (\(reason)); calibrate this one"
    case .badStatistics(let path, let reason):
      "the statistics in \(path) cannot be used: \(reason); calibrate again"
    case .loneShard(let path, let shard):
      "the statistics in \(path) are only shard \(shard.index) of \(shard.count); "
        + "put all shards together with 'surgeon merge'"
    case .foreignShard(let path, let reason):
      "\(path) cannot be merged with the others: \(reason)"
    case .missingShards(let numbers, let count):
      "of \(count) shards, \(numbers.map(String.init).joined(separator: ", ")) "
        + "\(numbers.count == 1 ? "is" : "are") missing; name the directories of all"
    case .damagedRemains(let path, let reason):
      "the unfinished run in \(path) cannot be continued: \(reason); "
        + "remove the folder to begin anew"
    case .badTimingTable(let path, let reason):
      "\(path) is no timing table: \(reason); 'surgeon measure MODEL --output FILE' makes one"
    case .badSetting(let reason): reason
    case .foreignRemains(let path):
      "\(path) holds an unfinished run with other settings; "
        + "repeat that command to finish it, or remove the folder"
    case .otherKernels(let path, let kernels):
      "the unfinished run in \(path) was computed with the kernels \(kernels), which would end with "
        + "other bytes than \(KernelChoice.inUse); give --blas-core \(kernels) to finish it, or remove "
        + "the folder"
    case .inUse(let path):
      "another process is making \(path); wait for it or choose another --output"
    case .unwritable(let path, let reason): "cannot write \(path): \(reason)"
    case .outputExists(let path):
      "\(path) exists and is not empty; choose another --output or give --overwrite"
    case .outputIsForeign(let path, let mark):
      "\(path) has no \(mark), so it is not replaced; remove it or choose another --output"
    case .notFinite(let what): "\(what) contains NaN or infinity; the model cannot be calibrated"
    }
  }
}
