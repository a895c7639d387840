import Foundation
import Safetensors
import Tensors
import TestKit
import Testing

@Suite("Writing safetensors")
struct SafetensorsWriterTests {
  static func golden(_ name: String) throws -> String {
    let url = Bundle.module.url(forResource: "Golden/" + name, withExtension: "safetensors")
    return try #require(url).path
  }

  @Test(
    "a file of the reference implementation is reproduced byte for byte",
    arguments: ["llama", "mixed"]
  )
  func reproduces(name: String) throws {
    let path = try Self.golden(name)
    let source = try SafetensorsFile(path: path)
    let scratch = try ScratchDirectory()
    let tensors = try source.names.reversed().map { name in
      SafetensorsWriter.Tensor(name, try source.existing(name)) { try source.bytes(name) }
    }
    try SafetensorsWriter.write(tensors, metadata: source.metadata, to: scratch.path("x"))
    #expect(try scratch.read("x") == MappedFile(path).copy())
    #expect(try scratch.names() == ["x"])
  }

  @Test("what was written is read back, the data at a multiple of eight")
  func roundTrip() throws {
    let scratch = try ScratchDirectory()
    let description = TensorDescription(elementType: .bfloat16, shape: [1, 3])
    for length in 1...9 {
      let name = TensorName(String(repeating: "n", count: length))
      try SafetensorsWriter.write(
        [
          SafetensorsWriter.Tensor(name, description, floats: { [1, -2, -0.0] }),
          SafetensorsWriter.Tensor("e", TensorDescription(elementType: .int8, shape: [0])) {
            [UInt8]()
          },
        ],
        to: scratch.path("x")
      )
      let file = try SafetensorsFile(path: scratch.path("x"))
      #expect(file.metadata == ["format": "pt"])
      #expect(file.description(of: name) == description)
      #expect(try file.floats(name).map(\.bitPattern) == [Float(1), -2, 0].map(\.bitPattern))
      #expect((try scratch.read("x").count - 6).isMultiple(of: 8))
    }
  }

  @Test("tensors that cannot form a file are refused, and nothing is left")
  func refused() throws {
    let scratch = try ScratchDirectory()
    func tensor(_ name: TensorName, _ shape: [Int], _ bytes: [UInt8]) -> SafetensorsWriter.Tensor {
      SafetensorsWriter.Tensor(name, TensorDescription(elementType: .uint8, shape: shape)) { bytes }
    }
    let path = scratch.path("x")
    func expect(_ fault: SafetensorsError.Fault, _ tensors: [SafetensorsWriter.Tensor]) {
      let error = #expect(throws: SafetensorsError.self) {
        try SafetensorsWriter.write(tensors, to: path)
      }
      #expect(error?.fault == fault)
      #expect(error?.path == path)
    }
    expect(.duplicateName("a"), [tensor("a", [1], [1]), tensor("a", [1], [1])])
    expect(.reservedName("__metadata__"), [tensor("__metadata__", [1], [1])])
    expect(.shapeTooLarge("a"), [tensor("a", [-1], [])])
    expect(.shapeTooLarge("b"), [tensor("a", [.max], []), tensor("b", [.max], [])])
    #expect(throws: TensorError.wrongCount("a", expected: 2, found: 1)) {
      try SafetensorsWriter.write([tensor("a", [2], [1])], to: path)
    }
    #expect(throws: CancellationError.self) {
      let failing = SafetensorsWriter.Tensor(
        "a",
        TensorDescription(elementType: .uint8, shape: [1])
      ) { () throws -> [UInt8] in throw CancellationError() }
      try SafetensorsWriter.write([tensor("b", [1], [1]), failing], to: path)
    }
    #expect(try scratch.names().isEmpty)
  }

  @Test("pieces, of any size, give the file of the whole; too few or too many bytes give none")
  func pieces() throws {
    let scratch = try ScratchDirectory()
    let description = TensorDescription(elementType: .uint8, shape: [2, 3])
    func write(_ pieces: [[UInt8]], to name: String) throws {
      let tensor = SafetensorsWriter.Tensor("a", description, pieces: pieces.count) { pieces[$0] }
      #expect(try tensor.content() == pieces.flatMap { $0 })
      try SafetensorsWriter.write([tensor], to: scratch.path(name))
    }
    try write([[1, 2, 3, 4, 5, 6]], to: "whole")
    let cuts: [[[UInt8]]] = [[[1, 2, 3], [4, 5, 6]], [[1], [], [2, 3, 4, 5], [6]]]
    for (number, pieces) in cuts.enumerated() {
      try write(pieces, to: "\(number)")
      #expect(try scratch.read("\(number)") == scratch.read("whole"))
    }
    let faults: [[[UInt8]]] = [[], [[1, 2, 3], [4, 5]], [[1, 2, 3], [4, 5, 6, 7]]]
    for pieces in faults {
      let found = pieces.joined().count
      #expect(throws: TensorError.wrongCount("a", expected: 6, found: found)) {
        try write(pieces, to: "none")
      }
    }
    #expect(try scratch.names() == ["0", "1", "whole"])
  }

  @Test("a place that cannot be written is named")
  func unwritable() throws {
    let scratch = try ScratchDirectory()
    let path = scratch.path("none/x")
    let error = #expect(throws: FileError.self) { try SafetensorsWriter.write([], to: path) }
    #expect(error?.path == path)
  }
}
