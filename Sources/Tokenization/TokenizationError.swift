package import ExactJSON

/// Why a tokenizer cannot be read, or a text cannot be encoded or decoded with it.
package enum TokenizationError: Error, Equatable {
  /// The directory has neither `tokenizer.json` nor `vocab.json` with `merges.txt`.
  case noTokenizer(directory: String)
  /// A file is there but cannot be read.
  case unreadable(file: String, reason: String)
  /// A file is not JSON.
  case malformedJSON(file: String, JSONError)
  /// A file lacks a value that has no default.
  case missing(path: String, file: String)
  /// A value is not of the kind that its place asks for.
  case unexpectedValue(path: String, file: String, expected: String)
  /// A component that this reader does not know, so it cannot reproduce its ids.
  case unsupported(component: String, name: String)
  /// An id that no vocabulary has.
  case idOutOfRange(id: Int, token: String)
  /// Two tokens have one id.
  case duplicateID(id: Int, first: String, second: String)
  /// One token has two ids.
  case conflictingIDs(token: String, first: Int, second: Int)
  /// An added token that is empty, or becomes empty when it is normalized.
  case emptyAddedToken(id: Int)
  /// A merge is not two tokens.
  case malformedMerge(number: Int, file: String)
  /// A merge, or another part of the file, names a token that is not in the vocabulary.
  case unknownToken(token: String, use: String)
  /// The text is not UTF-8.
  case invalidUTF8(offset: Int)
  /// The text has more bytes than positions can count, or grew beyond reason in normalization.
  case textTooLong(bytes: Int)
  /// An id to decode that the vocabulary does not have.
  case unknownID(Int32)
  /// The file does not say how to turn ids back into text.
  case noDecoder
}

extension TokenizationError: CustomStringConvertible {
  /// What is wrong, where, and what to do.
  package var description: String {
    switch self {
    case .noTokenizer(let directory):
      "no tokenizer in \(directory): it needs tokenizer.json, or vocab.json and merges.txt"
    case .unreadable(let file, let reason): "cannot read \(file): \(reason)"
    case .malformedJSON(let file, let error): "\(file): \(error)"
    case .missing(let path, let file): "\(file) lacks \"\(path)\""
    case .unexpectedValue(let path, let file, let expected):
      "\(file): \"\(path)\" must be \(expected)"
    case .unsupported(let component, let name):
      "the \(component) \(name) is not supported; give the text as token ids instead"
    case .idOutOfRange(let id, let token):
      "token \"\(token)\" has id \(id); ids must be from 0 to \(Vocabulary.largestID)"
    case .duplicateID(let id, let first, let second):
      "the tokens \"\(first)\" and \"\(second)\" share id \(id); repair the vocabulary"
    case .conflictingIDs(let token, let first, let second):
      "the token \"\(token)\" has the ids \(first) and \(second); repair the vocabulary"
    case .emptyAddedToken(let id): "the added token with id \(id) is empty; remove it"
    case .malformedMerge(let number, let file):
      "\(file): merge \(number) is not two tokens with one space between them"
    case .unknownToken(let token, let use):
      "\(use) names the token \"\(token)\", which is not in the vocabulary"
    case .invalidUTF8(let offset):
      "the text is not UTF-8 at byte \(offset); convert it first, for instance with iconv"
    case .textTooLong(let bytes):
      "a text of \(bytes) bytes is too long to encode at once; split it into files"
    case .unknownID(let id): "no token has id \(id)"
    case .noDecoder: "the tokenizer does not say how to turn ids into text: it has no decoder"
    }
  }
}
