import ExactJSON

extension TimingTable {
  /// The version of the format that is written and read.
  static let formatVersion = 1
  private static let formatName = "llm-surgeon timing table"

  /// The document that is written; the same bytes for the same table.
  var json: [UInt8] {
    var document: JSONValue = [
      "format": JSONValue(Self.formatName), "formatVersion": JSONValue(Self.formatVersion),
      "tokens": JSONValue(tokens),
      "model": [
        "hiddenSize": JSONValue(sizes.hiddenSize), "headSize": JSONValue(sizes.headSize),
        "vocabulary": JSONValue(sizes.vocabulary), "isGated": .bool(sizes.isGated),
      ],
      "seconds": [
        "rest": JSONValue(rest), "norms": JSONValue(norms), "heads": heads.json,
        "keyValueHeads": keyValueHeads.json, "neurons": neurons.json,
      ],
    ]
    if let machine, case .object(var members) = document {
      members["machine"] = JSONValue(machine)
      document = .object(members)
    }
    return JSONWriter.write(document, indent: 2)
  }

  /// Reads a document.
  ///
  /// - Parameters:
  ///   - json: The whole document.
  ///   - path: Its file, for messages.
  /// - Throws: ``JobError/badTimingTable(path:reason:)`` with the first fault.
  init(json: [UInt8], path: String) throws {
    let document: JSONValue
    do {
      document = try JSONParser.parse(json)
    } catch {
      throw JobError.badTimingTable(path: path, reason: "\(error)")
    }
    let members = TimingMembers(file: path, place: "", document)
    guard document["format"]?.string == Self.formatName else {
      throw members.fault("format", "is not \"\(Self.formatName)\"")
    }
    guard document["formatVersion"]?.integer == Self.formatVersion else {
      throw members.fault("formatVersion", "is not \(Self.formatVersion)")
    }
    let whole = try members.only([
      "format", "formatVersion", "machine", "tokens", "model", "seconds",
    ])
    let model = try whole.object("model", ["hiddenSize", "headSize", "vocabulary", "isGated"])
    let seconds = try whole.object(
      "seconds",
      ["rest", "norms", "heads", "keyValueHeads", "neurons"]
    )
    machine = try whole.text("machine")
    tokens = try whole.count("tokens")
    sizes = Sizes(
      hiddenSize: try model.count("hiddenSize"),
      headSize: try model.count("headSize"),
      vocabulary: try model.count("vocabulary"),
      isGated: try model.flag("isGated")
    )
    rest = try seconds.seconds("rest")
    norms = try seconds.seconds("norms")
    heads = try seconds.curve("heads")
    keyValueHeads = try seconds.curve("keyValueHeads")
    neurons = try seconds.curve("neurons")
  }
}

extension TimingCurve {
  fileprivate var json: JSONValue {
    .array(points.map { [JSONValue($0.width), JSONValue($0.seconds)] })
  }
}

/// The members of one object of a timing table.
private struct TimingMembers {
  /// The most that a number of tokens, a width or a time may be.
  private static let largest = 1_000_000_000
  private let file: String
  /// What stands before the names of the members in messages.
  private let place: String
  private let object: JSONObject

  /// Takes an object; anything else has no members.
  init(file: String, place: String, _ value: JSONValue) {
    self.file = file
    self.place = place
    object = value.object ?? JSONObject()
  }

  /// The same, if it has no other members than these.
  func only(_ keys: Set<JSONText>) throws -> TimingMembers {
    for (key, _) in object.members where !keys.contains(key) {
      throw fault(key, "is not a member of the format")
    }
    return self
  }

  func object(_ key: JSONText, _ keys: Set<JSONText>) throws -> TimingMembers {
    let value = try value(key)
    guard value.object != nil else { throw fault(key, "is not an object") }
    return try TimingMembers(file: file, place: "\(place)\(key.string).", value).only(keys)
  }

  func value(_ key: JSONText) throws -> JSONValue {
    guard let value = object[key] else { throw fault(key, "is missing") }
    return value
  }

  func text(_ key: JSONText) throws -> String? {
    guard let value = object[key] else { return nil }
    guard let text = value.string else { throw fault(key, "is not text") }
    return text
  }

  func flag(_ key: JSONText) throws -> Bool {
    guard let flag = try value(key).bool else { throw fault(key, "is neither true nor false") }
    return flag
  }

  func count(_ key: JSONText) throws -> Int {
    guard let count = Self.count(try value(key)) else {
      throw fault(key, "is not an integer from 1 to \(Self.largest)")
    }
    return count
  }

  func seconds(_ key: JSONText) throws -> Double {
    guard let seconds = Self.seconds(try value(key)) else {
      throw fault(key, "is not a number of seconds from 0 to \(Self.largest)")
    }
    return seconds
  }

  /// A list of pairs of a width and a time, by rising width, the last time above zero.
  func curve(_ key: JSONText) throws -> TimingCurve {
    guard let pairs = try value(key).array, !pairs.isEmpty else {
      throw fault(key, "is not a list of [width, seconds]")
    }
    var points: [TimingCurve.Point] = []
    for (index, pair) in pairs.enumerated() {
      guard let pair = pair.array, pair.count == 2, let width = Self.count(pair[0]),
        let seconds = Self.seconds(pair[1])
      else { throw fault(key, "has no pair [width, seconds] at position \(index)") }
      guard points.last.map({ $0.width < width }) ?? true else {
        throw fault(key, "is not by rising width at position \(index)")
      }
      points.append(TimingCurve.Point(width: width, seconds: seconds))
    }
    let curve = TimingCurve(points)
    guard curve.seconds(at: curve.widest) > 0 else { throw fault(key, "has no time above 0") }
    return curve
  }

  private static func count(_ value: JSONValue) -> Int? {
    value.integer.flatMap { 1...largest ~= $0 ? $0 : nil }
  }

  private static func seconds(_ value: JSONValue) -> Double? {
    value.double.flatMap { 0...Double(largest) ~= $0 ? $0 : nil }
  }

  func fault(_ key: JSONText, _ what: String) -> JobError {
    .badTimingTable(path: file, reason: "\(place)\(key.string) \(what)")
  }
}
