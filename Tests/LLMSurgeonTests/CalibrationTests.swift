import DemonstrationModel
import ExactJSON
import Foundation
import Safetensors
import Tensors
import TestKit
import Testing
import Tokenization

@testable import LLMSurgeon

@Suite("Calibration")
struct CalibrationTests {
  @Test("factors and loss are those of the reference implementation", arguments: Fixture.names)
  func reference(name: String) throws {
    let fixture = try Fixture(name)
    let scratch = try ScratchDirectory()
    let summary = try fixture.calibrate(into: scratch.url("statistics"))
    let expected = try fixture.expected()
    let loss = Double(try #require(expected.floats("loss").first))
    #expect(abs(summary.loss - loss) <= 1e-6 * loss)

    let reader = try StatisticsReader(scratch.url("statistics"))
    #expect(reader.manifest["loss"]?.double == summary.loss)
    let names = reader.layers.compactMap { $0["name"]?.string }
    let known = expected.names.map(\.description).filter { $0.hasPrefix("G.") }
    #expect(Set(names.map { "G." + $0 }) == Set(known))
    for layer in reader.layers {
      let name = try #require(layer["name"]?.string)
      let (a, g) = try reader.factors(of: layer)
      #expect(relativeError(a, try expected.floats(TensorName("A.\(name)"))) <= 1e-4, "\(name)")
      #expect(relativeError(g, try expected.floats(TensorName("G.\(name)"))) <= 1e-4, "\(name)")
    }
  }

  @Test("layers that read the same input share one A", arguments: ["opt", "llama"])
  func groups(name: String) throws {
    let scratch = try ScratchDirectory()
    try Fixture(name).calibrate(into: scratch.url("statistics"))
    let reader = try StatisticsReader(scratch.url("statistics"))
    func group(_ kind: String) -> String? {
      reader.layers.first { $0["kind"]?.string == kind }?["inputGroup"]?.string
    }
    #expect(group("q_proj") == group("k_proj"))
    #expect(group("q_proj") == group("v_proj"))
    #expect(group("q_proj") != group(name == "opt" ? "out_proj" : "o_proj"))
    let names = try SafetensorsFile(path: scratch.path("statistics/block-00000.safetensors")).names
    #expect(names.count { $0.description.hasPrefix("A.") } == 4)
  }

  @Test("the same calibration gives the same bytes, and sampled labels other gradients")
  func reproducible() throws {
    let fixture = try Fixture("llama3")
    let scratch = try ScratchDirectory()
    for name in ["first", "second"] { try fixture.calibrate(into: scratch.url(name)) }
    #expect(try differences(scratch.url("first"), scratch.url("second")) == [])
    for name in ["third", "fourth"] {
      try fixture.calibrate(into: scratch.url(name), labels: .sampled)
    }
    #expect(try differences(scratch.url("third"), scratch.url("fourth")) == [])
    #expect(try differences(scratch.url("first"), scratch.url("third")).count == 3)
  }

  @Test("windows that predict nothing are refused", arguments: [(0, 8), (-1, 8), (1, 1), (1, -5)])
  func emptyWindows(samples: Int, length: Int) throws {
    let fixture = try Fixture("opt")
    let scratch = try ScratchDirectory()
    let options = CalibrationOptions(
      model: fixture.url.path,
      input: fixture.input,
      windows: WindowChoice(samples: samples, length: length),
      output: scratch.url("statistics")
    )
    #expect(throws: JobError.self) { try calibrate(options) }
    #expect(try scratch.names() == [])
  }

  @Test("windows of a text are drawn as a Python script draws them")
  func windows() throws {
    let scratch = try ScratchDirectory()
    _ = try calibrate(
      CalibrationOptions(
        model: DemonstrationModel.directory.path,
        input: .text([DemonstrationModel.calibrationText]),
        windows: WindowChoice(samples: 7, length: 16, seed: 100),
        output: scratch.url("statistics")
      )
    )
    let manifest = try json(scratch.url("statistics/manifest.json"))
    let starts = try #require(manifest["data"]?["starts"]?.array).compactMap(\.integer)
    let text = [UInt8](try Data(contentsOf: DemonstrationModel.calibrationText))
    let tokenizer = try Tokenizer.load(directory: DemonstrationModel.directory)
    let ids = try tokenizer.encode(text, addSpecialTokens: false).map(Int.init)
    var generator = MersenneTwister(seed: 100)
    #expect(starts == generator.sample(7, below: ids.count - 16))
    let tokens = try SafetensorsFile(path: scratch.path("statistics/tokens.safetensors"))
    #expect(try tokens.integers("tokens") == starts.flatMap { ids[$0..<$0 + 16] })
  }

  @Test("a finished calibration leaves nothing beside its directory")
  func tidy() throws {
    let scratch = try ScratchDirectory()
    try Fixture("opt").calibrate(into: scratch.url("above/statistics"))
    #expect(try scratch.names() == ["above"])
    #expect(try scratch.names(in: "above") == ["statistics"])
    #expect(
      try scratch.names(in: "above/statistics")
        == [
          "block-00000.safetensors", "block-00001.safetensors", "manifest.json",
          "tokens.safetensors",
        ]
    )
  }
}

/// Reads a statistics directory by nothing but `docs/statistics-format.md`.
struct StatisticsReader {
  let folder: URL
  let manifest: JSONValue
  let layers: [JSONValue]

  init(_ folder: URL) throws {
    self.folder = folder
    manifest = try json(folder.appending(path: "manifest.json"))
    layers = try #require(manifest["layers"]?.array)
  }

  /// `A` and `G` of a layer, whole, row by row.
  func factors(of layer: JSONValue) throws -> (a: [Float], g: [Float]) {
    let (block, name) = (try #require(layer["block"]?.integer), layer["name"]?.string ?? "")
    let path = folder.appending(path: String(format: "block-%05d.safetensors", block)).path
    let file = try SafetensorsFile(path: path)
    let inputs = try #require(layer["inputs"]?.integer) + (layer["bias"]?.bool == true ? 1 : 0)
    let group = layer["inputGroup"]?.string ?? ""
    return (
      whole(try file.floats(TensorName("A.\(group)")), order: inputs),
      whole(try file.floats(TensorName("G.\(name)")), order: layer["outputs"]?.integer ?? 0)
    )
  }

  private func whole(_ packed: [Float], order: Int) -> [Float] {
    guard packed.count == order * (order + 1) / 2 else { return [] }
    return (0..<order * order).map { place in
      let (row, column) = (max(place / order, place % order), min(place / order, place % order))
      return packed[row * (row + 1) / 2 + column]
    }
  }
}
