import Foundation
import Safetensors
import Tensors
import TestKit
import Testing
import TorchArchive

@Suite("PyTorch archives")
struct TorchArchiveTests {
  static func golden(_ name: String) throws -> String {
    try #require(Bundle.module.resourceURL).appending(path: "Golden/\(name)").path
  }

  @Test(
    "the tensors are those that the reference implementation reads",
    arguments: ["pytorch_model", "mixed"]
  )
  func reference(name: String) throws {
    let archive = try TorchArchive(path: try Self.golden(name + ".bin"))
    let expected = try SafetensorsFile(path: try Self.golden(name + ".safetensors"))
    #expect(archive.names == expected.names)
    for name in expected.names {
      #expect(archive.description(of: name) == expected.description(of: name), "\(name)")
      let bytes = try expected.bytes(name)
      #expect(try archive.bytes(name) == bytes, "\(name)")
      #expect(try archive.withBytes(name) { $0.byteCount } == bytes.count)
    }
    #expect(throws: TensorError.missing("none")) { try archive.bytes("none") }
  }

  @Test("numbers are read through strides and shared storages")
  func numbers() throws {
    let archive = try TorchArchive(path: try Self.golden("mixed.bin"))
    let whole = try archive.floats("whole")
    #expect(try archive.floats("tied") == whole)
    let transposed = try archive.floats("transposed")
    for row in 0..<6 {
      for column in 0..<10 { #expect(transposed[column * 6 + row] == whole[row * 10 + column]) }
    }
    #expect(try archive.integers("int64") == [-1, 1 << 40])
  }

  @Test("every archive that is cut short is refused")
  func truncated() throws {
    let whole = try MappedFile(try Self.golden("mixed.bin")).copy()
    for count in 0..<whole.count {
      #expect(throws: TorchArchiveError.self) {
        try TorchArchive(MappedFile(path: "x", content: Array(whole[..<count])))
      }
    }
  }

  @Test(
    "no damage makes the reader fail other than by an error",
    arguments: [1, 2, 3, 4] as [UInt64]
  )
  func fuzz(seed: UInt64) throws {
    let whole = try MappedFile(try Self.golden("mixed.bin")).copy()
    var random = SplitMix64(seed: seed)
    for _ in 0..<5000 {
      var damaged = whole
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        damaged[Int.random(in: damaged.indices, using: &random)] = UInt8.random(
          in: 0...255,
          using: &random
        )
      }
      guard let archive = try? TorchArchive(MappedFile(path: "x", content: damaged)) else {
        continue
      }
      for name in archive.names {
        #expect(try archive.bytes(name).count == archive.description(of: name)?.byteCount)
      }
    }
  }

  @Test("the format before 1.6 is named")
  func legacy() {
    let error = #expect(throws: TorchArchiveError.self) {
      try TorchArchive(MappedFile(path: "x", content: [0x80, 0x02, 0x8A, 0x0A, 0x6C]))
    }
    #expect(error?.fault == .legacyFormat)
  }
}
