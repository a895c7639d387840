import GGUF
import Tensors
import TestKit
import Testing

@Suite("Reading GGUF")
struct GGUFReaderTests {
  @Test("a file of the reference implementation is read")
  func reads() throws {
    let file = try GGUFFile(path: GGUFWriterTests.golden())
    #expect(file.metadata == GGUFWriterTests.metadata)
    #expect(file.value("a.text") == .text("größe ▁ 東京"))
    #expect(file.value("a") == nil)
    #expect(file.namesInFileOrder == ["matrix.f32", "matrix.f16", "matrix.bf16", "vector"])
    #expect(file.names == ["matrix.bf16", "matrix.f16", "matrix.f32", "vector"])
    #expect(
      file.description(of: "matrix.f16")
        == TensorDescription(elementType: .float16, shape: [2, 4])
    )
    #expect(try file.floats("matrix.f32") == GGUFWriterTests.values)
    // Ties go to the even neighbour.
    #expect(try file.floats("matrix.f16")[2...3] == [1, 1 + 0x1p-9])
    #expect(try file.floats("matrix.bf16")[4...5] == [1, 1 + 0x1p-6])
    #expect(throws: TensorError.missing("x")) { try file.bytes("x") }
  }

  @Test("a file that is cut anywhere is refused")
  func truncated() throws {
    let whole = try MappedFile(GGUFWriterTests.golden()).copy()
    for length in 0..<whole.count {
      let file = MappedFile(path: "x", content: Array(whole[..<length]))
      #expect(throws: GGUFError.self) { try GGUFFile(file) }
    }
    let longer = MappedFile(path: "x", content: whole + [0])
    #expect(throws: GGUFError.self) { try GGUFFile(longer) }
  }

  @Test("a file with any byte changed is read or refused, but never trusted beyond its length")
  func changed() throws {
    let whole = try MappedFile(GGUFWriterTests.golden()).copy()
    for index in whole.indices {
      for change: UInt8 in [0x01, 0x80, 0xFF] {
        var bytes = whole
        bytes[index] ^= change
        guard let file = try? GGUFFile(MappedFile(path: "x", content: bytes)) else { continue }
        for name in file.names { _ = try file.bytes(name) }
      }
    }
  }

  /// A file with one value and one tensor, put together by hand.
  private struct Sample {
    var version: UInt32 = 3
    var tensorCount: UInt64 = 1
    var entryCount: UInt64 = 1
    var entry = Sample.text("k") + Sample.number(UInt32(7)) + [1]
    var tensors: [[UInt8]] = [Sample.tensor()]
    var data = [UInt8](repeating: 0, count: 32)
    var alignment = 32

    static func number(_ value: some FixedWidthInteger) -> [UInt8] {
      stride(from: 0, to: value.bitWidth, by: 8).map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    static func text(_ text: String) -> [UInt8] { number(UInt64(text.utf8.count)) + text.utf8 }

    static func tensor(
      _ name: String = "w",
      extents: [Int64] = [2],
      type: UInt32 = 0,
      offset: UInt64 = 0
    ) -> [UInt8] {
      text(name) + number(UInt32(extents.count)) + extents.flatMap { number($0) } + number(type)
        + number(offset)
    }

    func fault() -> GGUFError.Fault? {
      var bytes = Array("GGUF".utf8) + Sample.number(version) + Sample.number(tensorCount)
      bytes += Sample.number(entryCount) + entry + tensors.flatMap { $0 }
      bytes += [UInt8](repeating: 0, count: -bytes.count & (alignment - 1)) + data
      do {
        _ = try GGUFFile(MappedFile(path: "x", content: bytes))
        return nil
      } catch {
        return error.fault
      }
    }
  }

  private func fault(_ change: (inout Sample) -> Void) -> GGUFError.Fault? {
    var sample = Sample()
    change(&sample)
    return sample.fault()
  }

  @Test("what breaks a rule of the header is refused by its name")
  func header() {
    #expect(fault { _ in } == nil)
    #expect(fault { $0.version = 2 } == .unknownVersion(2))
    #expect(fault { $0.tensorCount = 1 << 60 } == .truncatedHeader)
    #expect(fault { $0.entryCount = .max } == .truncatedHeader)
    #expect(fault { $0.entry[$0.entry.count - 1] = 2 } == .invalidBool(key: "k"))
    #expect(
      fault { $0.entry = Sample.text("") + Sample.number(UInt32(7)) + [1] } == .invalidKey("")
    )
    #expect(
      fault {
        $0.entryCount = 2
        $0.entry += $0.entry
      } == .duplicateKey("k")
    )
    let array = Sample.text("k") + Sample.number(UInt32(9))
    #expect(
      fault { $0.entry = array + Sample.number(UInt32(9)) + Sample.number(UInt64(0)) }
        == .unknownValueType(key: "k", 9)
    )
    #expect(
      fault { $0.entry = array + Sample.number(UInt32(8)) + Sample.number(UInt64(1) << 61) }
        == .truncatedHeader
    )
    #expect(
      fault { $0.entry = Sample.text("k") + Sample.number(UInt32(13)) + [1] }
        == .unknownValueType(key: "k", 13)
    )
  }

  @Test("an alignment other than the usual is followed, and one that is none refused")
  func alignment() {
    func entry(_ value: UInt32) -> [UInt8] {
      Sample.text("general.alignment") + Sample.number(UInt32(4)) + Sample.number(value)
    }
    #expect(fault { $0.entry = entry(48) } == .invalidAlignment)
    #expect(fault { $0.entry = entry(0) } == .invalidAlignment)
    #expect(
      fault {
        $0.entry = entry(8)
        $0.alignment = 8
        $0.tensorCount = 2
        $0.tensors.append(Sample.tensor("v", extents: [3], offset: 8))
        $0.data = [UInt8](repeating: 0, count: 24)
      } == nil
    )
  }

  @Test("a tensor that breaks a rule is refused by its name")
  func tensors() {
    func fault(_ tensors: [UInt8]...) -> GGUFError.Fault? {
      self.fault {
        $0.tensors = tensors
        $0.tensorCount = UInt64(tensors.count)
      }
    }
    let long = String(repeating: "n", count: 64)
    #expect(fault(Sample.tensor(long)) == .invalidName(long))
    #expect(fault(Sample.tensor("")) == .invalidName(""))
    #expect(fault(Sample.tensor(extents: [])) == .invalidShape("w"))
    #expect(fault(Sample.tensor(extents: [0])) == .invalidShape("w"))
    #expect(fault(Sample.tensor(extents: [-1])) == .invalidShape("w"))
    #expect(fault(Sample.tensor(extents: [1, 1, 1, 1, 1])) == .invalidShape("w"))
    #expect(fault(Sample.tensor(extents: [1 << 62, 2])) == .shapeTooLarge("w"))
    #expect(fault(Sample.tensor(type: 8)) == .unknownElementType("w", 8))
    #expect(fault(Sample.tensor(offset: 32)) == .wrongOffset("w", expected: 0, found: 32))
    #expect(
      fault(Sample.tensor(), Sample.tensor("v", offset: 8))
        == .wrongOffset("v", expected: 32, found: 8)
    )
    #expect(self.fault { $0.data += [0] } != nil)
    #expect(
      self.fault {
        $0.tensors.append(Sample.tensor(offset: 32))
        $0.tensorCount = 2
        $0.data += $0.data
      } == .duplicateName("w")
    )
  }
}
