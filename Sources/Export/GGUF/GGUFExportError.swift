/// Why a model cannot be written for llama.cpp.
package enum GGUFExportError: Error, Equatable, CustomStringConvertible {
  /// llama.cpp does not run models of this family.
  case noArchitecture(family: String)
  /// The model computes something that the architecture does not; with what.
  case unsupportedArithmetic(String)
  /// The blocks differ in a way that the family's own architecture cannot hold; with what is needed.
  case notOwn(architecture: String, reason: String)
  /// The model has more blocks than llama.cpp takes.
  case tooManyBlocks(Int)
  /// The vocabulary has tokens that the embedding has no rows for.
  case vocabularyTooLarge(tokens: Int, rows: Int)
  /// llama.cpp would cut text into other tokens; with the reason.
  case unsupportedTokenizer(String)
  /// No file names the token behind a text.
  case noEndOfText

  package var description: String {
    switch self {
    case .noArchitecture(let family):
      "llama.cpp has no architecture for \(family) models; "
        + "write a Hugging Face directory instead (--format hf)"
    case .unsupportedArithmetic(let what):
      "llama.cpp cannot run this model: \(what); "
        + "write a Hugging Face directory instead (--format hf)"
    case .notOwn(let architecture, let reason):
      "the architecture \(architecture) of llama.cpp \(reason); use --architecture deci"
    case .tooManyBlocks(let count):
      "the model has \(count) blocks; llama.cpp takes \(GGUFPlan.mostBlocks)"
    case .vocabularyTooLarge(let tokens, let rows):
      "the tokenizer has \(tokens) tokens, but the token embedding has \(rows) rows; "
        + "is it the tokenizer of this model?"
    case .unsupportedTokenizer(let reason):
      "llama.cpp would tokenise differently: \(reason); "
        + "leave the tokenizer out with --no-tokenizer"
    case .noEndOfText:
      "no file names the token that ends a text, and llama.cpp would take another one for it; "
        + "add \"eos_token\" to tokenizer_config.json"
    }
  }
}
