import ExactJSON
import Foundation
import LinearAlgebra
import Tensors
import Testing

@testable import Transformer

/// Tensors in memory, as a source.
struct MemorySource: TensorSource {
  struct NoSuchTensor: Error {}

  var shapes: [TensorName: [Int]] = [:]
  var values: [TensorName: [Double]] = [:]
  var types: [TensorName: ElementType] = [:]

  var names: [TensorName] { shapes.keys.sorted() }

  func description(of name: TensorName) -> TensorDescription? {
    shapes[name].map { TensorDescription(elementType: types[name] ?? .float32, shape: $0) }
  }
  func floats(_ name: TensorName) throws -> [Float] {
    guard let values = values[name] else { throw NoSuchTensor() }
    return values.map(Float.init)
  }
  func integers(_ name: TensorName) throws -> [Int] {
    guard let values = values[name] else { throw NoSuchTensor() }
    return values.map(Int.init)
  }
  func bytes(_ name: TensorName) throws -> [UInt8] {
    let description = try existing(name)
    return try description.bytes(of: try floats(name), name: name)
  }

  mutating func set(_ name: TensorName, _ shape: [Int], _ numbers: [Double]) {
    shapes[name] = shape
    values[name] = numbers
  }
  mutating func remove(_ name: TensorName) {
    shapes[name] = nil
    values[name] = nil
  }

  /// Reads F32 and I64 tensors of a small, trusted safetensors file.
  init(safetensors url: URL) throws {
    let file = [UInt8](try Data(contentsOf: url))
    func number<T: FixedWidthInteger>(_ start: Int, as type: T.Type) -> T {
      (0..<T.bitWidth / 8).reduce(0) { $0 | T(truncatingIfNeeded: file[start + $1]) << (8 * $1) }
    }
    let start = 8 + number(0, as: Int.self)
    let header = try #require(try JSONParser.parse(Array(file[8..<start])).object)
    for (key, entry) in header.members where key != "__metadata__" {
      let shape = try #require(entry["shape"]?.array).compactMap(\.integer)
      let offsets = try #require(entry["data_offsets"]?.array).compactMap(\.integer)
      let places = 0..<shape.reduce(1, *)
      let base = start + offsets[0]
      let isFloat = entry["dtype"]?.string == "F32"
      let numbers = places.map { index in
        isFloat
          ? Double(Float(bitPattern: number(base + 4 * index, as: UInt32.self)))
          : Double(number(base + 8 * index, as: Int.self))
      }
      set(TensorName(utf8: key.utf8), shape, numbers)
    }
  }

  init() {}
}

/// A random checkpoint with what the reference implementation computes from it.
struct Fixture {
  let config: JSONValue
  let weights: MemorySource
  let expected: MemorySource

  init(_ name: String) throws {
    let folder = try golden(name)
    config = try parse(folder.appending(path: "config.json"))
    weights = try MemorySource(safetensors: folder.appending(path: "model.safetensors"))
    expected = try MemorySource(safetensors: folder.appending(path: "expected.safetensors"))
  }

  func model() throws -> DecoderModel {
    try DecoderModel(configuration: try ModelConfiguration(config: config), source: weights)
  }
  func tokens() throws -> TokenSequences {
    let shape = try #require(expected.shapes["tokens"])
    return try TokenSequences(tokens: try expected.integers("tokens"), length: shape[1])
  }
  func matrix(_ name: String) throws -> Matrix<Double> {
    let shape = try #require(expected.shapes[TensorName(name)])
    let values = try #require(expected.values[TensorName(name)])
    let columns = try #require(shape.last)
    return Matrix(rows: values.count / columns, columns: columns, storage: values)
  }
}

func golden(_ name: String) throws -> URL {
  let root = try #require(Bundle.module.resourceURL)
  return root.appending(path: "Golden").appending(path: name)
}

func parse(_ url: URL) throws -> JSONValue {
  try JSONParser.parse([UInt8](try Data(contentsOf: url)))
}
