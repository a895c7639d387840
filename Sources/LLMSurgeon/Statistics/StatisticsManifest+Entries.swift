import ExactJSON

extension StatisticsManifest.Layer {
  /// The most rows or columns of a layer: the entries of such a matrix can be counted.
  private static let largestWidth = 1 << 30

  /// The entry of the manifest.
  var json: JSONValue {
    [
      "name": JSONValue(name), "block": JSONValue(block), "kind": JSONValue(kind),
      "outputs": JSONValue(outputs), "inputs": JSONValue(inputs), "bias": .bool(hasBias),
      "inputGroup": JSONValue(inputGroup),
    ]
  }

  /// Reads an entry, or gives nil if a member is missing or of the wrong type.
  init?(json: JSONValue) {
    guard let name = json["name"]?.string, let block = json["block"]?.integer, block >= 0,
      let kind = json["kind"]?.string,
      let outputs = json["outputs"]?.integer, 1...Self.largestWidth ~= outputs,
      let inputs = json["inputs"]?.integer, 1...Self.largestWidth ~= inputs,
      let hasBias = json["bias"]?.bool,
      let inputGroup = json["inputGroup"]?.string
    else { return nil }
    self.init(
      name: name,
      block: block,
      kind: kind,
      outputs: outputs,
      inputs: inputs,
      hasBias: hasBias,
      inputGroup: inputGroup
    )
  }
}

extension ShardRecord {
  /// The entry of the manifest.
  var json: JSONValue {
    [
      "index": JSONValue(shard.index), "count": JSONValue(shard.count),
      "sequences": JSONValue(sequences), "fingerprint": JSONValue(dataFingerprint),
    ]
  }

  /// Reads an entry, or gives nil if a member is missing or of the wrong type.
  init?(json: JSONValue) {
    guard let index = json["index"]?.integer, let count = json["count"]?.integer,
      let shard = CalibrationShard(index: index, of: count),
      let sequences = json["sequences"]?.integer, sequences >= count,
      let fingerprint = json["fingerprint"]?.string
    else { return nil }
    self.init(shard: shard, sequences: sequences, dataFingerprint: fingerprint)
  }
}
