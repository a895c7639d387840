import ExactJSON

/// Typed access to the keys of a configuration; `null` counts as absent.
struct ConfigurationReader {
  /// The largest size that is believed: products of three sizes stay far below `Int.max`.
  static let largestSize = 1 << 20

  let object: JSONObject
  /// What stands before a key in messages.
  var path = ""

  /// The value of a key, unless it is absent or null.
  func value(_ key: String) -> JSONValue? {
    guard let value = object[JSONText(key)], !value.isNull else { return nil }
    return value
  }

  /// A positive integer; `standard` if absent.
  func size(_ key: String, standard: Int? = nil, most: Int = largestSize) throws(ModelError) -> Int
  {
    guard let value = value(key) else {
      guard let standard else { throw .missingKey(path + key) }
      return standard
    }
    guard let number = value.integer, number > 0, number <= most else {
      throw invalid(key, value, expected: "an integer from 1 to \(most)")
    }
    return number
  }

  /// A list with a positive integer for each block; nil if absent.
  func sizes(_ key: String, count: Int) throws(ModelError) -> [Int]? {
    guard let value = value(key) else { return nil }
    guard let array = value.array, array.count == count else {
      throw invalid(key, value, expected: "a list of \(count) integers, one for each block")
    }
    var sizes: [Int] = []
    for (block, element) in array.enumerated() {
      let name = "\(key)[\(block)]"
      if element.integer == 0 {
        throw .unsupported(key: path + name, found: "0", supported: "at least 1 in each block")
      }
      guard let size = element.integer, size > 0, size <= Self.largestSize else {
        throw invalid(name, element, expected: "an integer from 1 to \(Self.largestSize)")
      }
      sizes.append(size)
    }
    return sizes
  }

  /// Refuses an absent key whose default in transformers is not what its absence means here.
  func require(_ stated: DecoderFamily.StatedKey) throws(ModelError) {
    guard object[JSONText(stated.key)] == nil else { return }
    throw .unstatedKey(path + stated.key, standard: stated.standard)
  }

  /// A finite number above zero; `standard` if absent.
  func positive(_ key: String, standard: Double? = nil) throws(ModelError) -> Double {
    guard let value = value(key) else {
      guard let standard else { throw .missingKey(path + key) }
      return standard
    }
    guard let number = value.double, number.isFinite, number > 0 else {
      throw invalid(key, value, expected: "a number above 0")
    }
    return number
  }

  /// True or false; `standard` if absent.
  func flag(_ key: String, standard: Bool) throws(ModelError) -> Bool {
    guard let value = value(key) else { return standard }
    guard let flag = value.bool else { throw invalid(key, value, expected: "true or false") }
    return flag
  }

  /// The position of a switch.
  func flag(_ choice: DecoderFamily.Switch) throws(ModelError) -> Bool {
    guard let key = choice.key else { return choice.standard }
    return try flag(key, standard: choice.standard)
  }

  /// A string; `standard` if absent.
  func text(_ key: String, standard: String? = nil) throws(ModelError) -> String {
    guard let value = value(key) else {
      guard let standard else { throw .missingKey(path + key) }
      return standard
    }
    guard let text = value.string else { throw invalid(key, value, expected: "a string") }
    return text
  }

  /// Refuses a key that holds anything but one value; absent and null pass.
  func require(_ requirement: DecoderFamily.Requirement) throws(ModelError) {
    guard let value = value(requirement.key), value != requirement.value else { return }
    // 1 and 1.0 are one number.
    if let number = value.double, number == requirement.value.double { return }
    throw .unsupported(
      key: path + requirement.key,
      found: Self.show(value),
      supported: Self.show(requirement.value)
    )
  }

  func invalid(_ key: String, _ value: JSONValue, expected: String) -> ModelError {
    .invalidValue(key: path + key, found: Self.show(value), expected: expected)
  }

  /// The beginning of a value as JSON.
  static func show(_ value: JSONValue) -> String {
    let text = String(decoding: JSONWriter.write(value), as: UTF8.self)
    return text.count > 80 ? text.prefix(77) + "..." : text
  }
}
