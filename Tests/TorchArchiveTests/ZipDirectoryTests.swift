import Tensors
import TestKit
import Testing
import TorchArchive

@Suite("Zip directories")
struct ZipDirectoryTests {
  /// An archive with the single tensor "w".
  static func sample() -> TestArchive {
    let tensor = Pickle.tensor(Pickle.storage(count: 2), shape: [2], strides: [1])
    let numbers = [Float(1), 2].flatMap { TestArchive.number(Int($0.bitPattern), 4) }
    return TestArchive(pickle: Pickle.dictionary([("w", tensor)]), storages: ["0": numbers])
  }

  static func fault(_ change: (inout TestArchive) -> Void) -> TorchArchiveError.Fault? {
    var archive = sample()
    change(&archive)
    return HostilePickleTests.fault(archive)
  }

  static func expectInvalid(_ change: (inout TestArchive) -> Void) {
    guard case .invalidArchive = fault(change) else {
      Issue.record("\(String(describing: fault(change)))")
      return
    }
  }

  @Test(
    "archives are read with 64-bit fields, comments and foreign bytes in front",
    arguments: [false, true],
    [false, true]
  )
  func forms(isWide: Bool, hasWideEnd: Bool) throws {
    var archive = Self.sample()
    for index in archive.entries.indices { archive.entries[index].isWide = isWide }
    archive.hasWideEnd = hasWideEnd
    archive.comment = Array("PK\u{5}\u{6} is no end".utf8)
    archive.prefix = [1, 2, 3]
    #expect(try TorchArchive(archive.file).floats("w") == [1, 2])
  }

  @Test("entries that are compressed or encrypted are refused by name")
  func unsupported() {
    #expect(Self.fault { $0.entries[1].method = 8 } == .unsupportedEntry("m/data/0"))
    #expect(Self.fault { $0.entries[1].flags = 1 } == .unsupportedEntry("m/data/0"))
  }

  @Test("entries that are not where or what the directory says are refused")
  func misplaced() {
    for isWide in [false, true] {
      Self.expectInvalid {
        $0.entries[1].isWide = isWide
        $0.entries[1].claimedSize = 1 << 30
      }
      Self.expectInvalid {
        $0.entries[1].isWide = isWide
        $0.entries[1].claimedOffset = 1
      }
      Self.expectInvalid {
        $0.entries[1].isWide = isWide
        $0.entries[1].claimedOffset = 0xFFFF_FFF0
      }
    }
    Self.expectInvalid {
      $0.entries[1].isWide = true
      $0.entries[1].claimedSize = .max
    }
    Self.expectInvalid {
      $0.entries[1].isWide = true
      $0.entries[1].claimedOffset = -1
    }
    Self.expectInvalid { $0.entries[1].localName = "m/data/1" }
    Self.expectInvalid { $0.entries.append($0.entries[1]) }
    Self.expectInvalid { $0.entries.append(.init(name: "n/data.pkl", content: [])) }
  }

  @Test("what must be there is named when it is not")
  func missing() {
    #expect(Self.fault { $0.entries.removeFirst() } == .missingEntry("data.pkl"))
    #expect(Self.fault { $0.entries.removeLast() } == .missingEntry("m/data/0"))
    #expect(Self.fault { $0.entries.removeAll() } == .missingEntry("data.pkl"))
  }

  @Test("numbers that are not little-endian are refused")
  func byteOrder() {
    func order(_ text: String) -> TorchArchiveError.Fault? {
      Self.fault { $0.entries.append(.init(name: "m/byteorder", content: Array(text.utf8))) }
    }
    #expect(order("little") == nil)
    #expect(order("big") == .byteOrder("big"))
  }

  @Test("bytes that are no archive are named so", arguments: [0, 1, 21, 22, 100, 70_000])
  func noArchive(count: Int) {
    let file = MappedFile(path: "x", content: [UInt8](repeating: 0x50, count: count))
    let error = #expect(throws: TorchArchiveError.self) { try TorchArchive(file) }
    #expect(error?.fault == .noArchive)
  }
}
