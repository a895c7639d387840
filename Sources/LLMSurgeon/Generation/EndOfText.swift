import Checkpoint
import ExactJSON
import Foundation
import Tokenization

extension OpenedModel {
  /// The tokens behind which a generated text ends.
  ///
  /// As in transformers, `generation_config.json` states them, or `config.json` where that file does
  /// not exist; where neither does, the tokenizer's end of text counts.
  ///
  /// - Parameter tokenizer: The model's tokenizer, if it has one.
  /// - Returns: The tokens; none if nothing states one.
  /// - Throws: ``JobError`` if a file cannot be read or holds something else than tokens.
  func endOfText(_ tokenizer: Tokenizer?) throws -> Set<Int> {
    let file = directoryURL.appending(path: "generation_config.json")
    var source = (name: "config.json", document: directory.configuration)
    if FileManager.default.fileExists(atPath: file.path) {
      do {
        source = (file.lastPathComponent, try JSONParser.parse(try readBytes(of: file)))
      } catch let error as JSONError {
        throw JobError.unreadable(path: file.relativePath, reason: "\(error)")
      }
    }
    let key = "eos_token_id"
    guard let value = source.document[JSONText(key)], !value.isNull else {
      return Set([tokenizer?.endOfText].compactMap { $0.map(Int.init) })
    }
    let tokens = (value.array ?? [value]).map(\.integer)
    guard tokens.allSatisfy({ ($0 ?? -1) >= 0 }) else {
      throw JobError.unreadable(
        path: directoryURL.appending(path: source.name).relativePath,
        reason: "\"\(key)\" is neither a token nor a list of tokens"
      )
    }
    return Set(tokens.compactMap { $0 })
  }
}
