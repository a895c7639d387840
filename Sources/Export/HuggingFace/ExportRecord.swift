internal import Checkpoint
internal import ExactJSON
internal import Transformer

/// What `surgeon.json` beside a checkpoint says: which parts of which model it holds.
struct ExportRecord {
  /// The name of the file.
  static let fileName = "surgeon.json"

  /// The shapes that the tensors are written in.
  let profile: Profile
  /// The fingerprint of the model that the indices refer to.
  let source: String
  /// What stays of each block, where sizes change.
  var cut: ModelCut?
  /// How matrices are stored, where zeros are left out, by name.
  var packed: [(name: String, format: PackedFormat)] = []

  /// The document.
  func bytes() -> [UInt8] {
    var object = JSONObject()
    object["formatVersion"] = 1
    object["profile"] = JSONValue(profile.rawValue)
    object["sourceFingerprint"] = JSONValue(source)
    if let cut { object["blocks"] = .array(cut.blocks.map(Self.block)) }
    if !packed.isEmpty {
      var formats = JSONObject()
      for (name, format) in packed { formats[JSONText(name)] = JSONValue(format.rawValue) }
      object["packed"] = .object(formats)
    }
    return JSONWriter.write(.object(object)) + [UInt8(ascii: "\n")]
  }

  private static func block(_ block: BlockCut) -> JSONValue {
    func list(_ indices: [Int]) -> JSONValue { .array(indices.map { JSONValue($0) }) }
    return [
      "heads": list(block.heads), "keyValueHeads": list(block.keyValueHeads),
      "neurons": list(block.neurons),
    ]
  }
}
