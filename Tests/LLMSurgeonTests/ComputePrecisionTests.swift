import ExactJSON
import Export
import Foundation
import MixedPrecision
import Pruning
import Report
import TestKit
import Testing

@testable import LLMSurgeon

@Suite("Products of bfloat16 numbers in a calibration")
struct ComputePrecisionTests {
  private let fixture: Fixture
  private let scratch: ScratchDirectory

  init() throws {
    fixture = try Fixture("llama3")
    scratch = try ScratchDirectory()
  }

  /// Whether this program computes them here.
  private var isComputed: Bool {
    switch BFloat16Support.current {
    case .native, .emulated: true
    case .notBuilt, .processorLacks: false
    }
  }

  private func pruning(_ data: PruneData, to name: String = "pruned") -> PruneOptions {
    PruneOptions(
      model: fixture.url.path,
      data: data,
      removal: RemovalChoice(structure: .rowsColumns, target: 0.3),
      profile: .masked,
      output: scratch.url(name)
    )
  }

  private var calibrating: PruneData { .calibrate(fixture.input, WindowChoice(), .empirical) }

  /// Changes the manifest of statistics.
  private func edit(_ name: String, _ old: String, _ new: String) throws {
    let text = String(decoding: try scratch.read("\(name)/manifest.json"), as: UTF8.self)
    try #require(text.contains(old))
    try scratch.write("\(name)/manifest.json", Array(text.replacing(old, with: new).utf8))
  }

  @Test("they are computed where they can be, and refused elsewhere")
  func calibration() throws {
    let options = CalibrationOptions(
      model: fixture.url.path,
      input: fixture.input,
      compute: .bfloat16,
      output: scratch.url("rounded")
    )
    let notes = Snapshots()
    guard isComputed else {
      let error = #expect(throws: JobError.self) { try calibrate(options, progress: notes) }
      #expect("\(String(describing: error))".contains("--compute bf16"))
      #expect(try scratch.names() == [])
      return
    }
    let rounded = try calibrate(options, progress: notes)
    #expect(notes.notes.isEmpty == (BFloat16Support.current == .native))
    let single = try fixture.calibrate(into: scratch.url("single"))
    #expect(rounded.loss != single.loss && abs(rounded.loss - single.loss) <= 1e-2 * single.loss)
    let left = try StatisticsReader(scratch.url("rounded"))
    let right = try StatisticsReader(scratch.url("single"))
    #expect(left.manifest["settings"]?["compute"]?.string == "bf16")
    #expect(right.manifest["settings"]?["compute"]?.string == "f32")
    for (one, other) in zip(left.layers, right.layers) {
      #expect(relativeError(try left.factors(of: one).g, try right.factors(of: other).g) <= 0.1)
    }
  }

  @Test("a pruning that calibrates, and a sweep with checkpoints, are the same in two commands")
  func prunings() throws {
    var options = pruning(calibrating)
    options.compute = .bfloat16
    guard isComputed else {
      #expect(throws: JobError.self) { try prune(options) }
      #expect(throws: JobError.self) { try sweep(options, targets: [0.3]) }
      #expect(throws: JobError.self) { try pruneEach(options, targets: [0.3]) }
      #expect(try scratch.names() == [])
      return
    }
    let direct = try prune(options)
    var each = options
    each.output = scratch.url("each")
    _ = try pruneEach(each, targets: [0.3])
    _ = try calibrate(
      CalibrationOptions(
        model: fixture.url.path,
        input: fixture.input,
        compute: .bfloat16,
        output: scratch.url("statistics")
      )
    )
    let apart = try prune(pruning(.statistics(scratch.url("statistics")), to: "apart"))
    #expect(direct.report.loss.dense == apart.report.loss.dense)
    let weights = try scratch.read("pruned/model.safetensors")
    #expect(try scratch.read("apart/model.safetensors") == weights)
    #expect(try scratch.read("each/0.3/model.safetensors") == weights)
  }

  @Test("where nothing is calibrated, or no curvature measured, they are refused")
  func meaningless() throws {
    let statistics = try fixture.statistics(in: scratch)
    var options = pruning(.statistics(statistics))
    options.compute = .bfloat16
    #expect(throws: JobError.self) { try prune(options) }
    options.data = calibrating
    options.removal = RemovalChoice(structure: .element, target: 0.3, method: .wanda)
    #expect(throws: JobError.self) { try prune(options) }
    #expect(try scratch.names() == ["statistics"])
  }

  @Test("the loss before a pruning is that of the model, not of the rounded one")
  func lossBefore() throws {
    let statistics = try fixture.statistics(in: scratch)
    let exact = try prune(pruning(.statistics(statistics), to: "exact"))
    // As if the loss of these statistics were that of another model.
    try edit("statistics", "\"compute\": \"f32\"", "\"compute\": \"bf16\"")
    try edit("statistics", "\"loss\": ", "\"loss\": 1")
    let rounded = try prune(pruning(.statistics(statistics), to: "rounded"))
    let one = try #require(exact.report.loss.dense)
    let other = try #require(rounded.report.loss.dense)
    #expect(abs(one - other) <= 1e-6 * one)
  }

  @Test("statistics of before there was a choice are of single precision")
  func older() throws {
    let statistics = try fixture.statistics(in: scratch)
    try edit("statistics", "\"compute\": \"f32\",", "")
    #expect(try StatisticsManifest(directory: statistics).compute == .float32)
  }

  @Test("a run is not continued with other statistics of the same windows")
  func identity() throws {
    let opened = try OpenedModel(fixture.url.path)
    let statistics = try fixture.statistics(in: scratch)
    func identity() throws -> JSONValue {
      try PruneInput(.statistics(statistics), opened: opened, fingerprint: opened.fingerprint())
        .identity
    }
    let before = try identity()
    #expect(try identity() == before)
    try edit("statistics", "\"compute\": \"f32\"", "\"compute\": \"bf16\"")
    #expect(try identity() != before)
  }
}
