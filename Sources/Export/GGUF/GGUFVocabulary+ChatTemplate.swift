internal import Checkpoint
internal import ExactJSON
internal import Tensors

extension GGUFVocabulary {
  /// How a conversation becomes text, if the model has a template.
  ///
  /// `chat_template.jinja` goes before the template in `tokenizer_config.json`; of several named
  /// ones there, the one called `default` is taken.
  ///
  /// - Parameter directory: The model.
  /// - Returns: The template, or nil.
  /// - Throws: If a file cannot be read.
  static func chatTemplate(_ directory: ModelDirectory) throws -> [UInt8]? {
    let files = Set(try directory.companionFiles())
    if files.contains("chat_template.jinja") {
      return try MappedFile(FilePath.join(directory.path, "chat_template.jinja")).copy()
    }
    guard files.contains("tokenizer_config.json") else { return nil }
    let path = FilePath.join(directory.path, "tokenizer_config.json")
    let template = try JSONParser.parse(try MappedFile(path).copy())["chat_template"]
    if let text = template?.text { return text.utf8 }
    let standard = template?.array?.first { $0["name"] == "default" }
    return standard?["template"]?.text?.utf8
  }
}
