internal import Tensors

/// Where the entries of a zip archive are; entries must be stored without compression.
///
/// Reads the central directory only (with its 64-bit extension), as PyTorch does.
struct ZipDirectory {
  /// The bytes of each entry, from the start of the file.
  let entries: [String: Range<Int>]

  private static let endSignature: UInt64 = 0x0605_4B50
  private static let endByteCount = 22
  private static let locatorSignature: UInt64 = 0x0706_4B50
  private static let locatorByteCount = 20
  private static let wideEndSignature: UInt64 = 0x0606_4B50
  private static let entrySignature: UInt64 = 0x0201_4B50
  private static let entryByteCount = 46
  private static let localSignature: UInt64 = 0x0403_4B50
  private static let localByteCount = 30
  private static let longestComment = 0xFFFF
  private static let saturated: UInt64 = 0xFFFF_FFFF

  /// Reads the directory of an archive.
  ///
  /// - Parameter file: The whole archive.
  /// - Throws: The first fault that was found.
  init(_ file: MappedFile) throws(TorchArchiveError) {
    do throws(ZipFault) {
      entries = try Self.read(BoundedReader(file))
    } catch {
      throw TorchArchiveError(path: file.path, fault: error.fault)
    }
  }

  private static func read(_ reader: BoundedReader) throws(ZipFault) -> [String: Range<Int>] {
    let (count, directory) = try directory(reader)
    var entries: [String: Range<Int>] = [:]
    var position = directory.lowerBound
    for _ in 0..<count {
      guard position <= directory.upperBound - entryByteCount,
        try reader.integer(position, 4) == entrySignature
      else { throw ZipFault("an entry is cut off") }
      let nameCount = try reader.natural(position + 28, 2)
      let extraCount = try reader.natural(position + 30, 2)
      let commentCount = try reader.natural(position + 32, 2)
      let next = position + entryByteCount + nameCount + extraCount + commentCount
      guard next <= directory.upperBound else { throw ZipFault("an entry is cut off") }
      let name = try reader.name(position + entryByteCount, nameCount)
      let extraStart = position + entryByteCount + nameCount
      let range = try content(
        reader,
        entry: position,
        name: name,
        extra: extraStart..<extraStart + extraCount
      )
      guard entries.updateValue(range, forKey: name) == nil else {
        throw ZipFault("the entry \"\(name)\" stands twice")
      }
      position = next
    }
    return entries
  }

  /// The number of entries and where their descriptions are.
  private static func directory(
    _ reader: BoundedReader
  ) throws(ZipFault) -> (count: Int, range: Range<Int>) {
    let end = try endRecord(reader)
    var count = try reader.natural(end + 10, 2)
    var size = try reader.natural(end + 12, 4)
    var offset = try reader.natural(end + 16, 4)
    let locator = end - locatorByteCount
    if locator >= 0, try reader.integer(locator, 4) == locatorSignature {
      let wideEnd = try reader.natural(locator + 8, 8)
      guard wideEnd <= locator, try reader.integer(wideEnd, 4) == wideEndSignature else {
        throw ZipFault("its 64-bit end record is missing")
      }
      count = try reader.natural(wideEnd + 32, 8)
      size = try reader.natural(wideEnd + 40, 8)
      offset = try reader.natural(wideEnd + 48, 8)
    }
    guard offset <= end, size <= end - offset else { throw ZipFault("it lies outside the file") }
    guard count <= size / entryByteCount else { throw ZipFault("it is too short") }
    return (count, offset..<offset + size)
  }

  /// Where the end record is: the last place whose comment reaches exactly to the end of the file.
  private static func endRecord(_ reader: BoundedReader) throws(ZipFault) -> Int {
    var position = reader.count - endByteCount
    let lowest = max(0, position - longestComment)
    while position >= lowest {
      if try reader.integer(position, 4) == endSignature,
        try reader.natural(position + 20, 2) == reader.count - position - endByteCount
      {
        return position
      }
      position -= 1
    }
    throw ZipFault(.noArchive)
  }

  /// Where the bytes of an entry are.
  private static func content(
    _ reader: BoundedReader,
    entry: Int,
    name: String,
    extra: Range<Int>
  ) throws(ZipFault) -> Range<Int> {
    let isEncrypted = try reader.integer(entry + 8, 2) & 1 != 0
    let method = try reader.integer(entry + 10, 2)
    let fields = try wideFields(reader, entry: entry, extra: extra)
    guard !isEncrypted, method == 0, fields.compressed == fields.size else {
      throw ZipFault(.unsupportedEntry(name))
    }
    guard fields.offset <= reader.count - localByteCount,
      try reader.integer(fields.offset, 4) == localSignature
    else { throw ZipFault("the entry \"\(name)\" is not where it should be") }
    let nameCount = try reader.natural(fields.offset + 26, 2)
    let extraCount = try reader.natural(fields.offset + 28, 2)
    let start = fields.offset + localByteCount + nameCount + extraCount
    guard start <= reader.count, fields.size <= reader.count - start else {
      throw ZipFault("the entry \"\(name)\" reaches beyond the end")
    }
    guard try reader.name(fields.offset + localByteCount, nameCount) == name else {
      throw ZipFault("the entry \"\(name)\" has another name where its bytes are")
    }
    return start..<start + fields.size
  }

  /// An entry's size and place; those too large for 32 bits are in the 64-bit extra field.
  private static func wideFields(
    _ reader: BoundedReader,
    entry: Int,
    extra: Range<Int>
  ) throws(ZipFault) -> (compressed: Int, size: Int, offset: Int) {
    var fields = [
      try reader.natural(entry + 24, 4), try reader.natural(entry + 20, 4),
      try reader.natural(entry + 42, 4),
    ]
    var position = extra.lowerBound
    while position <= extra.upperBound - 4 {
      let count = try reader.natural(position + 2, 2)
      guard count <= extra.upperBound - position - 4 else { break }
      if try reader.integer(position, 2) == 1 {
        var value = position + 4
        for index in fields.indices where UInt64(fields[index]) == saturated {
          guard value + 8 <= position + 4 + count else {
            throw ZipFault("a 64-bit size is missing")
          }
          fields[index] = try reader.natural(value, 8)
          value += 8
        }
        break
      }
      position += 4 + count
    }
    return (fields[1], fields[0], fields[2])
  }
}

/// A fault before it is known in which file.
struct ZipFault: Error {
  let fault: TorchArchiveError.Fault
  init(_ fault: TorchArchiveError.Fault) { self.fault = fault }
  init(_ reason: String) { fault = .invalidArchive(reason) }
}

/// Little-endian integers of a file, never read beyond its end.
struct BoundedReader {
  private let file: MappedFile

  init(_ file: MappedFile) { self.file = file }

  var count: Int { file.count }

  /// An integer of up to eight bytes.
  func integer(_ offset: Int, _ byteCount: Int) throws(ZipFault) -> UInt64 {
    guard offset >= 0, byteCount <= count, offset <= count - byteCount else {
      throw ZipFault("it ends too early")
    }
    return file.copy(offset..<offset + byteCount).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// An integer that counts bytes; never so large that sums of a few could overflow.
  func natural(_ offset: Int, _ byteCount: Int) throws(ZipFault) -> Int {
    let value = try integer(offset, byteCount)
    guard value <= UInt64(Int.max / 8) else { throw ZipFault("a size is impossible") }
    return Int(value)
  }

  /// The name of an entry.
  func name(_ offset: Int, _ byteCount: Int) throws(ZipFault) -> String {
    guard offset >= 0, byteCount <= count, offset <= count - byteCount,
      let name = String(validating: file.copy(offset..<offset + byteCount), as: UTF8.self)
    else { throw ZipFault("a name is not UTF-8") }
    return name
  }
}
