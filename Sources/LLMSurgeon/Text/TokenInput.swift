public import Foundation
import Safetensors
import Tensors
import Tokenization

/// Where token windows come from: texts, or a file of token ids.
public enum TokenInput: Sendable, Equatable {
  /// UTF-8 texts, tokenised one by one without special tokens and put one after the other.
  case text([URL])
  /// A safetensors file whose integer tensor `tokens` is `[sequences, length]` or one long row.
  case tokens(URL)

  var paths: [URL] {
    switch self {
    case .text(let files): files
    case .tokens(let file): [file]
    }
  }

  /// The file names, for reports: without the folders, which differ between machines.
  var name: String { paths.map(\.lastPathComponent).joined(separator: ", ") }
  /// The paths as the person wrote them, for messages.
  var path: String { paths.map(\.relativePath).joined(separator: ", ") }
}

/// Token ids as read: a long row, or rows of one length.
private enum TokenRows {
  case stream([Int])
  case rows([Int], length: Int)
}

extension TokenInput {
  /// Draws windows for a calibration.
  ///
  /// From a long row, the windows' starts are drawn without replacement, as
  /// `random.seed(seed); random.sample(range(len(ids) - length), samples)` does in Python. From rows
  /// of one length, all rows are taken in their order; if fewer are asked for, they are drawn too.
  ///
  /// - Parameters:
  ///   - samples: The number of windows; all rows, or 128 windows of a long row, unless stated.
  ///   - length: The tokens of a window; that of the rows, or `longest`, unless stated.
  ///   - longest: What the model can take, or a default.
  ///   - seed: The seed of the generator.
  ///   - tokenizer: Where the model's tokenizer lies, asked for only when there is text.
  /// - Returns: The windows.
  /// - Throws: ``JobError`` or what reading the files and the tokenizer throws.
  func drawWindows(
    samples: Int?,
    length: Int?,
    longest: Int,
    seed: UInt64,
    tokenizer: URL
  ) throws -> TokenWindows {
    try check(windows: samples, length: length)
    switch try read(tokenizer: tokenizer) {
    case .stream(let ids):
      let length = length ?? longest
      let starts = ids.count - length
      guard starts >= 1 else {
        // The largest length has no successor.
        let needed = max(length, length &+ 1)
        throw JobError.textTooShort(path: path, tokens: ids.count, needed: needed)
      }
      let samples = samples ?? min(128, starts)
      guard samples <= starts else {
        throw JobError.tooFewWindows(path: path, available: starts, asked: samples)
      }
      var generator = MersenneTwister(seed: seed)
      let drawn = generator.sample(samples, below: starts)
      return TokenWindows(
        tokens: drawn.flatMap { ids[$0..<$0 + length] },
        length: length,
        starts: drawn,
        source: name
      )
    case .rows(let ids, let rowLength):
      let all = try windows(of: ids, rowLength: rowLength, length: length)
      guard let samples, samples != all.count else { return all }
      guard samples < all.count else {
        throw JobError.tooFewWindows(path: path, available: all.count, asked: samples)
      }
      var generator = MersenneTwister(seed: seed)
      let drawn = generator.sample(samples, below: all.count)
      return TokenWindows(
        tokens: drawn.flatMap { all[$0] },
        length: rowLength,
        starts: drawn.map { $0 * rowLength },
        source: name
      )
    }
  }

  /// Cuts windows for an evaluation: from the start, without overlap, the rest dropped.
  ///
  /// - Parameters:
  ///   - count: The number of windows; all unless stated.
  ///   - length: The tokens of a window; that of the rows, or `longest`, unless stated.
  ///   - longest: What the model can take, or a default.
  ///   - tokenizer: Where the model's tokenizer lies, asked for only when there is text.
  /// - Returns: The windows.
  /// - Throws: ``JobError`` or what reading the files and the tokenizer throws.
  func leadingWindows(
    count: Int?,
    length: Int?,
    longest: Int,
    tokenizer: URL
  ) throws -> TokenWindows {
    try check(windows: count, length: length)
    let all: TokenWindows
    switch try read(tokenizer: tokenizer) {
    case .stream(let ids):
      let length = length ?? longest
      guard ids.count >= length else {
        throw JobError.textTooShort(path: path, tokens: ids.count, needed: length)
      }
      let whole = ids.count / length * length
      all = TokenWindows(tokens: Array(ids.prefix(whole)), length: length, source: name)
    case .rows(let ids, let rowLength):
      all = try windows(of: ids, rowLength: rowLength, length: length)
    }
    guard let count else { return all }
    guard count <= all.count else {
      throw JobError.tooFewWindows(path: path, available: all.count, asked: count)
    }
    return TokenWindows(
      tokens: Array(all.tokens.prefix(count * all.length)),
      length: all.length,
      source: name
    )
  }

  /// The windows of held-out tokens: the leading ones.
  ///
  /// - Parameters:
  ///   - count: The number of windows; all unless stated.
  ///   - length: The tokens of a window of a text, as in the windows that are worked on; a token file
  ///     has its own.
  ///   - opened: The model.
  /// - Returns: The windows.
  /// - Throws: ``JobError`` or what reading the files and the tokenizer throws.
  func heldOutWindows(
    count: Int? = nil,
    length: Int?,
    of opened: OpenedModel
  ) throws -> TokenWindows {
    var isText = false
    if case .text = self { isText = true }
    return try leadingWindows(
      count: count,
      length: isText ? length : nil,
      longest: opened.usualLength,
      tokenizer: opened.directoryURL
    )
  }

  /// Refuses windows that hold nothing to predict.
  private func check(windows count: Int?, length: Int?) throws {
    if let count, count < 1 { throw JobError.badSetting("at least one window is needed") }
    if let length, length < 2 {
      throw JobError.badSetting("windows of \(length) tokens predict nothing; 2 are the fewest")
    }
  }

  private func windows(of ids: [Int], rowLength: Int, length: Int?) throws -> TokenWindows {
    if let length, length != rowLength {
      throw JobError.lengthMismatch(path: path, found: rowLength, asked: length)
    }
    return TokenWindows(tokens: ids, length: rowLength, source: name)
  }

  private func read(tokenizer: URL) throws -> TokenRows {
    switch self {
    case .text(let files):
      let tokenizer = try Tokenizer.load(directory: tokenizer)
      var ids: [Int] = []
      for file in files {
        let bytes = try readBytes(of: file)
        guard !bytes.isEmpty else {
          throw JobError.unreadable(path: file.relativePath, reason: "the file is empty")
        }
        do {
          ids += try tokenizer.encode(bytes, addSpecialTokens: false).map(Int.init)
        } catch {
          throw JobError.unreadable(path: file.relativePath, reason: "\(error)")
        }
      }
      return .stream(ids)
    case .tokens(let file): return try readTokens(file)
    }
  }

  private func readTokens(_ file: URL) throws -> TokenRows {
    let tensors = try SafetensorsFile(path: file.path)
    guard let found = tensors.description(of: "tokens") else {
      throw JobError.badTokenFile(path: path, reason: "there is no tensor `tokens`")
    }
    let ids = try tensors.integers("tokens")
    if let negative = ids.firstIndex(where: { $0 < 0 }) {
      throw JobError.badTokenFile(path: path, reason: "token \(negative) is negative")
    }
    switch found.shape.count {
    case 1: return .stream(ids)
    case 2 where found.shape[0] == 1: return .stream(ids)
    case 2 where found.shape[0] > 0 && found.shape[1] > 1:
      return .rows(ids, length: found.shape[1])
    default:
      throw JobError.badTokenFile(path: path, reason: "`tokens` has the shape \(found.shape)")
    }
  }
}

/// The bytes of a file, or an error that names it.
func readBytes(of file: URL) throws -> [UInt8] {
  do {
    return [UInt8](try Data(contentsOf: file, options: .mappedIfSafe))
  } catch {
    let exists = FileManager.default.fileExists(atPath: file.path)
    throw JobError.unreadable(
      path: file.relativePath,
      reason: exists ? "it cannot be opened for reading" : "there is no such file"
    )
  }
}
