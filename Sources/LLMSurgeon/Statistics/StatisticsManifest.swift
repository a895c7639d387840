import ExactJSON
import Foundation

/// What a statistics directory says of itself; `docs/statistics-format.md` describes the file.
package struct StatisticsManifest: Sendable, Equatable {
  /// The version of the format that this program writes, and the only one it reads.
  static let currentVersion = 1
  private static let formatName = "llm-surgeon statistics"
  /// The name of the file in the directory.
  static let fileName = "manifest.json"

  /// One linear layer and where its factors are.
  package struct Layer: Sendable, Equatable {
    /// The module name, as transformers gives it.
    package let name: String
    /// The decoder block.
    package let block: Int
    /// What the layer is in its block: `q_proj`, `fc1`.
    package let kind: String
    /// The rows of `W`.
    package let outputs: Int
    /// The columns of `W`, a bias not counted.
    package let inputs: Int
    /// Whether `A` has a last row and column for the bias.
    package let hasBias: Bool
    /// The layers of one group read the same input and share an `A`.
    package let inputGroup: String

    /// The name of `A` in the file of the block.
    var activationsTensor: String { "A.\(inputGroup)" }
    /// The name of `G` in the file of the block.
    var gradientsTensor: String { "G.\(name)" }
  }

  /// A hash of the model's configuration and weights.
  package var modelFingerprint: String
  /// The model's family.
  package var family: String
  /// A hash of the calibration tokens.
  package var dataFingerprint: String
  /// The file names that the tokens come from.
  package var dataSource: String
  /// The number of windows.
  package var sequences: Int
  /// The tokens of each window.
  package var length: Int
  /// The first token of each window, where windows were drawn from a text.
  package var starts: [Int]?
  /// Where the labels come from.
  package var labels: CalibrationLabels
  /// How hidden states and gradients were kept between the passes.
  package var activations: ScratchPrecision
  /// In what products with weights were computed.
  package var compute: ComputePrecision
  /// The seed of the windows and of sampled labels.
  package var seed: UInt64
  /// The mean cross entropy on the windows, in nats per predicted token; nil before it is known.
  package var loss: Double?
  /// The linear layers, in the order of the model.
  package var layers: [Layer]
  /// Which part of a calibration this is; nil of a whole one.
  package var shard: ShardRecord?

  /// `N`, the number of positions in the means.
  package var positions: Int { sequences * length }

  /// What the file of each block holds.
  var blocks: [BlockFactors] {
    (0..<(layers.map(\.block).max() ?? -1) + 1).map { BlockFactors(layers, block: $0) }
  }

  /// Writes the manifest into a directory, which makes it complete.
  func write(into folder: URL) throws {
    let file = folder.appending(path: Self.fileName)
    try LLMSurgeon.write(JSONWriter.write(json, indent: 2), to: file.path)
  }
}

extension StatisticsManifest {
  /// The document that is written.
  var json: JSONValue {
    var data: JSONValue = [
      "fingerprint": JSONValue(dataFingerprint), "source": JSONValue(dataSource),
      "sequences": JSONValue(sequences), "length": JSONValue(length),
    ]
    if let starts, case .object(var members) = data {
      members["starts"] = .array(starts.map { JSONValue($0) })
      data = .object(members)
    }
    var document: JSONValue = [
      "format": JSONValue(Self.formatName),
      "version": JSONValue(Self.currentVersion),
      "program": JSONValue("surgeon \(Program.version)"),
      "model": ["fingerprint": JSONValue(modelFingerprint), "family": JSONValue(family)],
      "data": data,
      "settings": [
        "labels": JSONValue(labels.rawValue), "seed": JSONValue(String(seed)),
        "activations": JSONValue(activations.rawValue), "compute": JSONValue(compute.rawValue),
        "factors": "independent",
      ],
      "loss": loss.map { JSONValue($0) } ?? .null,
      "tokens": JSONValue(positions),
      "layers": .array(layers.map(\.json)),
    ]
    if let shard, case .object(var members) = document {
      members["shard"] = shard.json
      document = .object(members)
    }
    return document
  }

  /// Reads the manifest of a directory.
  ///
  /// - Parameter directory: The statistics directory.
  /// - Throws: ``JobError/badStatistics(path:reason:)`` naming the first fault.
  init(directory: URL) throws {
    let path = directory.relativePath
    func fault(_ reason: String) -> JobError { .badStatistics(path: path, reason: reason) }
    guard let bytes = try? Data(contentsOf: directory.appending(path: Self.fileName)) else {
      throw fault("there is no readable \(Self.fileName), so it is not complete")
    }
    let document: JSONValue
    do {
      document = try JSONParser.parse([UInt8](bytes))
    } catch {
      throw fault("\(Self.fileName): \(error)")
    }
    guard document["format"]?.string == Self.formatName else {
      throw fault("\(Self.fileName) is not of \(Self.formatName)")
    }
    guard document["version"]?.integer == Self.currentVersion else {
      throw fault("the format's version is not \(Self.currentVersion)")
    }
    guard let manifest = StatisticsManifest(json: document) else {
      throw fault("\(Self.fileName) lacks an entry or holds one of the wrong type")
    }
    self = manifest
  }

  /// Reads the entries of a document, or gives nil if one is missing or of the wrong type.
  private init?(json: JSONValue) {
    let data = json["data"]
    let settings = json["settings"]
    guard let modelFingerprint = json["model"]?["fingerprint"]?.string,
      let family = json["model"]?["family"]?.string,
      let dataFingerprint = data?["fingerprint"]?.string,
      let dataSource = data?["source"]?.string,
      let sequences = data?["sequences"]?.integer, sequences > 0,
      let length = data?["length"]?.integer, length > 0,
      !sequences.multipliedReportingOverflow(by: length).overflow,
      let labels = settings?["labels"]?.string.flatMap(CalibrationLabels.init(rawValue:)),
      let activations = settings?["activations"]?.string.flatMap(ScratchPrecision.init(rawValue:)),
      let compute = Self.compute(settings),
      let seed = settings?["seed"]?.string.flatMap({ UInt64($0) }),
      let entries = json["layers"]?.array
    else { return nil }
    // Every block has a layer.
    let layers = entries.compactMap(Layer.init(json:)).filter { $0.block < entries.count }
    let starts = data?["starts"]?.array.map { $0.compactMap(\.integer) }
    guard layers.count == entries.count, starts == nil || starts?.count == sequences else {
      return nil
    }
    var shard: ShardRecord?
    if let entry = json["shard"] {
      shard = ShardRecord(json: entry)
      guard shard?.range.count == sequences else { return nil }
    }
    self.init(
      modelFingerprint: modelFingerprint,
      family: family,
      dataFingerprint: dataFingerprint,
      dataSource: dataSource,
      sequences: sequences,
      length: length,
      starts: starts,
      labels: labels,
      activations: activations,
      compute: compute,
      seed: seed,
      loss: json["loss"]?.double,
      layers: layers,
      shard: shard
    )
  }

  /// The precision of products; single before there was a choice, nil if it is none that is known.
  private static func compute(_ settings: JSONValue?) -> ComputePrecision? {
    guard let entry = settings?["compute"] else { return .float32 }
    return entry.string.flatMap(ComputePrecision.init(rawValue:))
  }
}
