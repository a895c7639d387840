internal import ExactJSON
internal import Tensors

/// What the header of a safetensors file says, checked against the format's every rule.
struct SafetensorsHeader: Equatable {
  /// One tensor.
  struct Entry: Equatable {
    let description: TensorDescription
    /// Where its bytes are, from the start of the file.
    let range: Range<Int>
  }

  /// The longest header that is read or written, in bytes; the reference implementation's limit.
  static let maximumByteCount = 100_000_000
  /// The number of bytes in front of the header.
  static let prefixByteCount = 8
  /// The name that no tensor may have.
  static let metadataKey: JSONText = "__metadata__"

  /// The file's text entries.
  let metadata: [String: String]
  /// The tensors.
  let entries: [TensorName: Entry]
}

extension SafetensorsHeader {
  /// Reads and checks the header of a file.
  ///
  /// - Parameter file: The whole file.
  /// - Throws: The first fault that was found.
  init(_ file: MappedFile) throws(SafetensorsError) {
    let dataStart = try Self.dataStart(file)
    let header = file.copy(Self.prefixByteCount..<dataStart)
    func fault(_ fault: SafetensorsError.Fault) -> SafetensorsError {
      SafetensorsError(path: file.path, fault: fault)
    }
    let root: JSONValue
    do { root = try JSONParser.parse(header) } catch { throw fault(.invalidHeader("\(error)")) }
    guard let members = root.object?.members else { throw fault(.headerIsNoObject) }
    var metadata: [String: String] = [:]
    var entries: [(name: String, key: TensorName, entry: Entry)] = []
    for (key, value) in members {
      do throws(FaultOnly) {
        if key == Self.metadataKey {
          metadata = try Self.metadata(value)
        } else {
          let entry = try Self.entry(value, name: key.string, dataStart: dataStart)
          entries.append((key.string, TensorName(utf8: key.utf8), entry))
        }
      } catch {
        throw fault(error.fault)
      }
    }
    if let found = Self.gap(entries, from: dataStart, to: file.count) { throw fault(found) }
    self.metadata = metadata
    self.entries = Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.entry) })
  }

  /// A fault before it is known in which file.
  private struct FaultOnly: Error {
    let fault: SafetensorsError.Fault
    init(_ fault: SafetensorsError.Fault) { self.fault = fault }
  }

  private static func dataStart(_ file: MappedFile) throws(SafetensorsError) -> Int {
    func fault(_ fault: SafetensorsError.Fault) -> SafetensorsError {
      SafetensorsError(path: file.path, fault: fault)
    }
    guard file.count >= prefixByteCount else { throw fault(.truncatedHeader) }
    let length = file.copy(0..<prefixByteCount).reversed().reduce(UInt64(0)) {
      $0 << 8 | UInt64($1)
    }
    guard length <= UInt64(maximumByteCount) else { throw fault(.headerTooLong(length)) }
    guard Int(length) <= file.count - prefixByteCount else { throw fault(.truncatedHeader) }
    return prefixByteCount + Int(length)
  }

  private static func metadata(_ value: JSONValue) throws(FaultOnly) -> [String: String] {
    guard let members = value.object?.members else { throw FaultOnly(.invalidMetadata) }
    var metadata: [String: String] = [:]
    for (key, value) in members {
      guard let text = value.string else { throw FaultOnly(.invalidMetadata) }
      metadata[key.string] = text
    }
    return metadata
  }

  private static func entry(
    _ value: JSONValue,
    name: String,
    dataStart: Int
  ) throws(FaultOnly) -> Entry {
    guard let typeName = value["dtype"]?.string else {
      throw FaultOnly(.invalidEntry(name, member: "dtype"))
    }
    guard let shape = naturals(value["shape"]) else {
      throw FaultOnly(.invalidEntry(name, member: "shape"))
    }
    guard let offsets = naturals(value["data_offsets"]), offsets.count == 2,
      offsets[0] <= offsets[1], offsets[1] <= Int.max - dataStart
    else { throw FaultOnly(.invalidEntry(name, member: "data_offsets")) }
    guard let elementType = ElementType(rawValue: typeName) else {
      throw FaultOnly(.unknownElementType(name, typeName))
    }
    guard let byteCount = TensorDescription.checkedByteCount(elementType, shape) else {
      throw FaultOnly(.shapeTooLarge(name))
    }
    let found = offsets[1] - offsets[0]
    guard found == byteCount else {
      throw FaultOnly(.wrongLength(name, expected: byteCount, found: found))
    }
    return Entry(
      description: TensorDescription(elementType: elementType, shape: shape),
      range: dataStart + offsets[0]..<dataStart + offsets[1]
    )
  }

  /// The elements, if the value is an array of integers that are not negative.
  private static func naturals(_ value: JSONValue?) -> [Int]? {
    guard let elements = value?.array else { return nil }
    var numbers: [Int] = []
    for element in elements {
      guard let number = element.integer, number >= 0 else { return nil }
      numbers.append(number)
    }
    return numbers
  }

  /// What is wrong if the tensors do not fill the data without holes and without overlap.
  private static func gap(
    _ entries: [(name: String, key: TensorName, entry: Entry)],
    from start: Int,
    to end: Int
  ) -> SafetensorsError.Fault? {
    var position = start
    let sorted = entries.sorted {
      let (left, right) = ($0.entry.range, $1.entry.range)
      return (left.lowerBound, left.upperBound) < (right.lowerBound, right.upperBound)
    }
    for (name, _, entry) in sorted {
      guard entry.range.lowerBound == position else {
        let found = entry.range.lowerBound - start
        return .notAdjacent(name, expected: position - start, found: found)
      }
      position = entry.range.upperBound
    }
    return position == end ? nil : .wrongFileLength(expected: position, found: end)
  }
}
