import Tensors

/// Builds zip archives and pickles, faulty ones too.
struct TestArchive {
  /// One stored entry.
  struct Entry {
    var name: String
    var content: [UInt8]
    var method = 0
    var flags = 0
    /// The name in front of the content, if it differs.
    var localName: String?
    /// What the directory says instead of the content's length.
    var claimedSize: Int?
    /// What the directory says instead of the entry's place.
    var claimedOffset: Int?
    /// Whether sizes and place are in the 64-bit extra field.
    var isWide = false
  }

  var entries: [Entry]
  var hasWideEnd = false
  var comment: [UInt8] = []
  var prefix: [UInt8] = []

  /// An archive with a pickle and storages.
  init(pickle: [UInt8], storages: [String: [UInt8]] = [:]) {
    entries = [Entry(name: "m/data.pkl", content: pickle)]
    for (key, content) in storages.sorted(by: { $0.key < $1.key }) {
      entries.append(Entry(name: "m/data/" + key, content: content))
    }
  }

  var file: MappedFile { MappedFile(path: "x.bin", content: bytes) }

  private var bytes: [UInt8] {
    var output = prefix
    var directory: [UInt8] = []
    for entry in entries {
      let offset = entry.claimedOffset ?? output.count
      let size = entry.claimedSize ?? entry.content.count
      let local = Array((entry.localName ?? entry.name).utf8)
      output += Self.number(0x0403_4B50, 4) + [UInt8](repeating: 0, count: 22)
      output += Self.number(local.count, 2) + Self.number(0, 2) + local + entry.content
      let short = { (value: Int) in Self.number(entry.isWide ? 0xFFFF_FFFF : value, 4) }
      let extra =
        entry.isWide
        ? Self.number(7, 2) + Self.number(1, 2) + [0] + Self.number(1, 2) + Self.number(24, 2)
          + Self.number(size, 8) + Self.number(size, 8) + Self.number(offset, 8) : []
      directory += Self.number(0x0201_4B50, 4) + Self.number(0, 4) + Self.number(entry.flags, 2)
      directory += Self.number(entry.method, 2) + Self.number(0, 8) + short(size) + short(size)
      directory += Self.number(entry.name.utf8.count, 2) + Self.number(extra.count, 2)
      directory += [UInt8](repeating: 0, count: 10) + short(offset)
      directory += Array(entry.name.utf8) + extra
    }
    let start = output.count
    output += directory
    let wideEnd = output.count
    if hasWideEnd {
      output += Self.number(0x0606_4B50, 4) + [UInt8](repeating: 0, count: 28)
      output += Self.number(entries.count, 8) + Self.number(directory.count, 8)
      output += Self.number(start, 8)
      output += Self.number(0x0706_4B50, 4) + Self.number(0, 4) + Self.number(wideEnd, 8)
      output += Self.number(1, 4)
    }
    let hidden = hasWideEnd ? 0xFFFF_FFFF : nil
    output += Self.number(0x0605_4B50, 4) + Self.number(0, 4) + Self.number(0, 2)
    output += Self.number(hidden ?? entries.count, 2) + Self.number(hidden ?? directory.count, 4)
    output += Self.number(hidden ?? start, 4) + Self.number(comment.count, 2) + comment
    return output
  }

  /// A little-endian integer.
  static func number(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}

/// Pieces of pickles.
enum Pickle {
  static let start: [UInt8] = [0x80, 2]
  static let stop = Array(".".utf8)

  static func global(_ module: String, _ name: String) -> [UInt8] {
    Array("c\(module)\n\(name)\n".utf8)
  }

  static func text(_ text: String) -> [UInt8] {
    Array("X".utf8) + TestArchive.number(text.utf8.count, 4) + Array(text.utf8)
  }

  static func integer(_ value: Int) -> [UInt8] { [0x8A, 8] + TestArchive.number(value, 8) }

  static func tuple(_ elements: [UInt8]...) -> [UInt8] {
    Array("(".utf8) + elements.flatMap { $0 } + Array("t".utf8)
  }

  static func integers(_ values: [Int]) -> [UInt8] {
    Array("(".utf8) + values.flatMap(integer) + Array("t".utf8)
  }

  static func storage(_ type: String = "FloatStorage", key: String = "0", count: Int) -> [UInt8] {
    tuple(text("storage"), global("torch", type), text(key), text("cpu"), integer(count))
      + Array("Q".utf8)
  }

  static func tensor(
    _ storage: [UInt8],
    offset: Int = 0,
    shape: [Int],
    strides: [Int]
  ) -> [UInt8] {
    let arguments = tuple(
      storage,
      integer(offset),
      integers(shape),
      integers(strides),
      [0x89],
      Array("}".utf8)
    )
    return global("torch._utils", "_rebuild_tensor_v2") + arguments + Array("R".utf8)
  }

  /// A whole pickle of a dictionary with the given members.
  static func dictionary(_ members: [(String, [UInt8])]) -> [UInt8] {
    start + Array("}(".utf8) + members.flatMap { text($0.0) + $0.1 } + Array("u.".utf8)
  }
}
