import ExactJSON
import Foundation
import Pruning
import Report
import Safetensors
import Tensors
import TestKit
import Testing

@testable import LLMSurgeon

@Suite("The schedule of several shots")
struct ShotScheduleTests {
  @Test("ramps rise from nothing to the whole target", arguments: ShotRamp.allCases)
  func ramps(ramp: ShotRamp) {
    let shares = (1...5).map { ramp.share(after: $0, of: 5) }
    #expect(shares.last == 1)
    #expect(zip(shares, shares.dropFirst()).allSatisfy { $0 < $1 })
    let expected =
      ramp == .linear ? [0.2, 0.4, 0.6, 0.8, 1] : [0.488, 0.784, 0.936, 0.992, 1]
    for (share, exact) in zip(shares, expected) { #expect(abs(share - exact) < 1e-12) }
    #expect(ramp.share(after: 1, of: 1) == 1)
  }

  /// Prunes the fixture in two shots.
  private func prune(
    _ windows: WindowChoice,
    _ schedule: ShotSchedule,
    to output: URL
  ) throws -> JSONValue {
    let fixture = try Fixture("llama3")
    _ = try LLMSurgeon.prune(
      PruneOptions(
        model: fixture.url.path,
        data: .calibrate(fixture.input, windows, .empirical),
        removal: RemovalChoice(structure: .rowsColumns, target: 0.4),
        shots: 2,
        schedule: schedule,
        output: output
      )
    )
    return try json(output.appending(path: "surgeon-report.json"))
  }

  @Test("fresh data gives the second shot other windows, the same data the same")
  func freshData() throws {
    let scratch = try ScratchDirectory()
    let one = WindowChoice(samples: 1, seed: 4)
    func losses(_ data: ShotData) throws -> [Double] {
      let report = try prune(one, ShotSchedule(data: data), to: scratch.url("\(data)"))
      let shots = try #require(report["shots"]?.array)
      return shots.compactMap { $0["lossBefore"]?.double }
    }
    let (same, fresh) = (try losses(.same), try losses(.fresh))
    #expect(same.count == 2 && fresh.count == 2)
    // The first shots are alike; the second ones start from the same weights on other windows.
    #expect(same[0] == fresh[0])
    #expect(abs(same[1] - fresh[1]) > 1e-6)
  }

  @Test("training between the shots lowers the loss that the second one starts from")
  func correction() throws {
    let scratch = try ScratchDirectory()
    func losses(_ correction: ShotCorrection?, _ name: String) throws -> [Double] {
      let schedule = ShotSchedule(correction: correction)
      let report = try prune(WindowChoice(), schedule, to: scratch.url(name))
      return try #require(report["shots"]?.array).compactMap { $0["lossBefore"]?.double }
    }
    let plain = try losses(nil, "plain")
    let trained = try losses(ShotCorrection(steps: 20, learningRate: 1e-2, batch: 2), "trained")
    #expect(trained[0] == plain[0])
    #expect(trained[1] < plain[1])
  }

  @Test("fresh data is refused where there are no other windows")
  func noFreshData() throws {
    let scratch = try ScratchDirectory()
    #expect {
      _ = try prune(WindowChoice(), ShotSchedule(data: .fresh), to: scratch.url("out"))
    } throws: { error in
      "\(error)".contains("has no other windows for later shots")
    }
    #expect(try scratch.names().isEmpty)
  }

  @Test("a run is not continued with another held-out text of the same name")
  func otherHeldOut() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama3")
    func identity(_ heldOut: TokenInput?) throws -> JSONValue {
      try PruneJob(
        PruneOptions(
          model: fixture.url.path,
          data: .calibrate(fixture.input, WindowChoice(), .empirical),
          removal: RemovalChoice(structure: .rowsColumns, target: 0.4),
          shots: 2,
          schedule: ShotSchedule(heldOut: heldOut),
          output: scratch.url("out")
        )
      ).identity
    }
    func tokens(_ folder: String, first: Int32) throws -> TokenInput {
      let count = 64
      let tokens = (0..<Int32(count)).map { ($0 + first) % 7 + 1 }
      let shape = TensorDescription(elementType: .int32, shape: [1, count])
      try scratch.write("\(folder)/kept", "")
      let file = scratch.path("\(folder)/held-out.safetensors")
      let tensor = SafetensorsWriter.Tensor("tokens", shape) {
        tokens.flatMap { token in (0..<4).map { UInt8(truncatingIfNeeded: token >> ($0 * 8)) } }
      }
      try SafetensorsWriter.write([tensor], to: file)
      return .tokens(URL(filePath: file))
    }
    let one = try identity(tokens("a", first: 0))
    #expect(try identity(tokens("a", first: 0)) == one)
    #expect(try identity(tokens("b", first: 1)) != one)
    #expect(try identity(nil) != one)
  }

  @Test("inputs kept in fewer bits leave the loss before what it is")
  func roundedInputs() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama3")
    func loss(_ precision: ScratchPrecision) throws -> Double {
      var options = PruneOptions(
        model: fixture.url.path,
        data: .calibrate(fixture.input, WindowChoice(), .empirical),
        removal: RemovalChoice(structure: .element, target: 0.2, method: .kobd),
        output: scratch.url("\(precision)")
      )
      options.memory.precision = precision
      return try #require(try LLMSurgeon.prune(options).report.loss.dense)
    }
    let exact = try loss(.float32)
    #expect(abs(try loss(.bfloat16) - exact) <= 1e-6 * exact)
  }

  @Test("the perplexity after the last shot is that of the checkpoint")
  func heldOut() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama3")
    let report = try prune(
      WindowChoice(),
      ShotSchedule(ramp: .cubic, heldOut: fixture.input),
      to: scratch.url("out")
    )
    let shots = try #require(report["shots"]?.array)
    let perplexities = shots.compactMap { $0["heldOutPerplexity"]?.double }
    #expect(perplexities.count == 2)
    let checkpoint = try evaluate(
      EvaluationOptions(model: scratch.path("out"), input: fixture.input)
    )
    #expect(abs(perplexities[1] - checkpoint.perplexity) <= 1e-6 * checkpoint.perplexity)
    #expect(abs((shots[0]["achieved"]?.double ?? 0) - 0.4 * 0.875) < 0.005)
  }
}
