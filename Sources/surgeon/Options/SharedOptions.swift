import ArgumentParser
import Foundation
import LLMSurgeon

/// Where tokens come from; every command that takes a text takes token files too.
struct InputOptions: ParsableArguments {
  @Option(
    name: .long,
    parsing: .upToNextOption,
    help: ArgumentHelp("UTF-8 texts, tokenised with the model's tokenizer.", valueName: "file"),
    completion: .file()
  )
  var text: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A safetensors file with an integer tensor 'tokens': [sequences, length] or one long row.",
      valueName: "file"
    ),
    completion: .file()
  )
  var tokens: String?

  /// The input, or nil if neither option was given.
  var input: TokenInput? { TokenInput(texts: text, tokens: tokens) }

  /// The input; a usage error if neither option was given.
  func required() throws -> TokenInput {
    guard let input else { throw ValidationError("give --text FILE … or --tokens FILE") }
    return input
  }

  func validate() throws {
    guard text.isEmpty || tokens == nil else {
      throw ValidationError("give --text or --tokens, not both")
    }
  }
}

extension TokenInput {
  /// The input that a pair of options names, or nil if neither was given.
  init?(texts: [String], tokens: String?) {
    if let tokens {
      self = .tokens(URL(filePath: tokens))
    } else if texts.isEmpty {
      return nil
    } else {
      self = .text(texts.map { URL(filePath: $0) })
    }
  }
}

/// Refuses held-out texts beside held-out tokens.
func checkHeldOut(texts: [String], tokens: String?) throws {
  guard texts.isEmpty || tokens == nil else {
    throw ValidationError("give --held-out-text or --held-out-tokens, not both")
  }
}

/// How calibration windows are drawn.
struct WindowOptions: ParsableArguments {
  @Option(help: "The number of calibration windows (128 of a text, all rows of a token file).")
  var samples: Int?

  @Option(help: "The tokens of a window (2048 or what the model takes; a token file's row).")
  var length: Int?

  @Option(help: "The seed of the windows and of sampled labels (100 unless given).")
  var seed: UInt64?

  /// The windows, for the library.
  var choice: WindowChoice {
    var choice = WindowChoice(samples: samples, length: length)
    if let seed { choice.seed = seed }
    return choice
  }

  /// Whether anything departs from the defaults.
  var isGiven: Bool { samples != nil || length != nil || seed != nil }

  func validate() throws {
    if let samples, samples < 1 { throw ValidationError("--samples must be at least 1") }
    if let length, length < 2 { throw ValidationError("--length must be at least 2") }
  }
}

/// What a calibration or a pruning may keep in memory.
struct MemoryOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The most memory, beside the mapped weights, such as 8GB (three quarters of what there is).",
      valueName: "bytes"
    )
  )
  var memory: ByteCount?

  @Option(
    help: "The directory of the scratch file (beside the output).",
    completion: .directory
  )
  var scratch: String?

  @Option(
    help: """
      How hidden states are kept between the passes: f32 (unless given), or bf16 for half the space.
      """
  )
  var scratchPrecision: ScratchPrecision?

  /// The limits, for the library.
  var choice: CalibrationMemory {
    CalibrationMemory(
      limit: memory?.value,
      scratch: scratch.map { URL(filePath: $0, directoryHint: .isDirectory) },
      precision: scratchPrecision ?? .float32
    )
  }

  /// Whether any of them is given.
  var isGiven: Bool { memory != nil || scratch != nil || scratchPrecision != nil }
}

/// The checkpoint that a command leaves.
struct CheckpointOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: "The checkpoint directory to write.",
    completion: .directory
  )
  var output: String

  @Flag(help: "Replace an existing checkpoint directory.")
  var overwrite = false

  /// The directory.
  var url: URL { URL(filePath: output) }

  func validate() throws { try checkOutputName(output) }
}

/// What every working command takes.
struct RunOptions: ParsableArguments {
  @Option(help: "The threads to compute on (all cores unless given); results do not depend on it.")
  var threads: Int?

  @Option(
    help: ArgumentHelp(
      "The kernels of OpenBLAS: 'default' for its own choice (the best for this processor).",
      valueName: "name"
    )
  )
  var blasCore: String?

  @Flag(name: .shortAndLong, help: "Show no progress.")
  var quiet = false

  func validate() throws {
    if let blasCore, blasCore.isEmpty || !blasCore.utf8.allSatisfy(isWordByte) {
      throw ValidationError("--blas-core must be a name such as Haswell, or default")
    }
    if let threads, !(1...1024 ~= threads) {
      throw ValidationError("--threads must be between 1 and 1024")
    }
  }

  /// A listener for this run.
  var progress: ProgressPrinter { ProgressPrinter(isQuiet: quiet) }
}

/// Whether a byte is one of those that names of kernels are made of.
private func isWordByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
  default: (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }
}

/// Refuses a name that names nothing.
func checkOutputName(_ output: String) throws {
  if output.isEmpty { throw ValidationError("--output must name a directory") }
}
