package import Tensors

/// Why a model cannot be read or run.
package enum ModelError: Error, Equatable {
  /// The configuration is no JSON object.
  case configurationIsNoObject
  /// The configuration lacks a key without a default.
  case missingKey(String)
  /// The configuration lacks a key, and transformers would take another value for it than null.
  case unstatedKey(String, standard: String)
  /// A key of the configuration holds a value that no model of the family can have.
  case invalidValue(key: String, found: String, expected: String)
  /// A key of the configuration asks for something that is not implemented.
  case unsupported(key: String, found: String, supported: String)
  /// The checkpoint lacks a tensor.
  case missingTensor(TensorName)
  /// A tensor has another shape than the configuration states.
  case wrongShape(TensorName, expected: [Int], found: [Int])
  /// A tensor does not hold floating-point numbers.
  case wrongElementType(TensorName, found: ElementType)
  /// A block of the checkpoint holds a tensor that the configuration does not account for.
  case unexpectedTensor(TensorName)
  /// A tensor could not be read.
  case unreadableTensor(TensorName, reason: String)
  /// A tensor holds NaN or infinity.
  case tensorNotFinite(TensorName, index: Int)
  /// A tied output projection is stored and differs from the token embedding.
  case conflictingHead(TensorName)
  /// The sequences have no tokens, or unequal lengths.
  case unequalSequences(length: Int, tokens: Int)
  /// A sequence is too short to predict a token.
  case sequenceTooShort(length: Int)
  /// A sequence is longer than the table of position embeddings.
  case sequenceTooLong(length: Int, limit: Int)
  /// A token is not in the vocabulary.
  case tokenOutsideVocabulary(token: Int, sequence: Int, position: Int, vocabulary: Int)
  /// The loss of a sequence is NaN or infinite.
  case lossNotFinite(sequence: Int)
  /// A gradient that leaves a block is NaN or infinite.
  case gradientNotFinite(block: Int)
}

extension ModelError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .configurationIsNoObject: "config.json does not hold a JSON object"
    case .missingKey(let key): "config.json lacks \"\(key)\""
    case .unstatedKey(let key, let standard):
      "config.json lacks \"\(key)\", for which transformers takes \(standard); write the key"
    case .invalidValue(let key, let found, let expected):
      "config.json: \"\(key)\" is \(found); expected \(expected)"
    case .unsupported(let key, let found, let supported):
      "config.json: \"\(key)\" is \(found), which is not supported; supported: \(supported)"
    case .sequenceTooShort(let length):
      "sequences of \(length) token(s) predict nothing; use at least 2 tokens"
    case .sequenceTooLong(let length, let limit):
      "sequences of \(length) tokens exceed the model's \(limit) positions; use shorter ones"
    case .unequalSequences(let length, let tokens):
      "\(tokens) tokens do not make whole sequences of \(length); all need the same length"
    case .tokenOutsideVocabulary(let token, let sequence, let position, let vocabulary):
      "token \(token) at position \(position) of sequence \(sequence) is outside the vocabulary of "
        + "\(vocabulary); were the tokens made with this model's tokenizer?"
    case .lossNotFinite(let sequence):
      "the loss of sequence \(sequence) is not finite; the activations overflow single precision"
    case .gradientNotFinite(let block):
      "the gradient behind block \(block) is not finite; the activations overflow single precision"
    default: tensorDescription
    }
  }

  private var tensorDescription: String {
    switch self {
    case .missingTensor(let name):
      "the checkpoint lacks the tensor \(name) that config.json calls for"
    case .wrongShape(let name, let expected, let found):
      "tensor \(name) has shape \(found), but config.json calls for \(expected)"
    case .wrongElementType(let name, let found):
      "tensor \(name) holds \(found.rawValue), not floating-point numbers"
    case .unexpectedTensor(let name):
      "the checkpoint holds \(name), for which config.json has no use; is it of another model?"
    case .unreadableTensor(let name, let reason): "tensor \(name) cannot be read: \(reason)"
    case .tensorNotFinite(let name, let index):
      "tensor \(name) holds NaN or infinity at element \(index)"
    case .conflictingHead(let name):
      "config.json ties the output projection to the token embedding, but \(name) differs from it"
    default: "the model cannot be run"
    }
  }
}
