import DemonstrationModel
import ExactJSON
import Foundation
import LinearAlgebra
import Tensors
import TestKit
import Testing

@testable import LLMSurgeon

@Suite("Memory of a calibration")
struct CalibrationMemoryTests {
  @Test(
    "a store gives back what it keeps, in memory as in a file",
    arguments: [ScratchPrecision.float32, .bfloat16],
    [false, true]
  )
  func store(precision: ScratchPrecision, isInFile: Bool) throws {
    let scratch = try ScratchDirectory()
    let shape = ActivationStore.Shape(batches: [0..<3, 3..<6, 6..<7], width: 5, planes: 2)
    var store = try ActivationStore(
      shape,
      precision: precision,
      directory: isInFile ? scratch.path : nil
    )
    func content(_ plane: Int, _ batch: Int) -> Matrix<Float> {
      let rows = shape.batches[batch]
      let numbers = (0..<rows.count * 5).map { Float(1 + plane + 7 * batch) / Float(3 + $0) }
      return Matrix(rows: rows.count, columns: 5, storage: numbers)
    }
    let places = (0..<2).flatMap { plane in (0..<3).map { (plane, $0) } }
    for (plane, batch) in places.reversed() {
      try store.keep(content(plane, batch), plane: plane, batch: batch)
    }
    for (plane, batch) in places {
      var expected = content(plane, batch)
      if precision == .bfloat16 {
        expected.storage = expected.storage.map {
          HalfPrecision.float(bfloat16: HalfPrecision.bfloat16($0))
        }
      }
      #expect(try store.batch(batch, plane: plane) == expected)
      #expect(try store.take(batch, plane: plane) == expected)
    }
  }

  @Test(
    "where hidden states are kept changes no byte",
    arguments: [ScratchPrecision.float32, .bfloat16]
  )
  func sameBytes(precision: ScratchPrecision) throws {
    let scratch = try ScratchDirectory()
    let footprint = try footprint(precision)
    for (name, limit) in [("memory", Int.max), ("file", Int(footprint.working) + 1)] {
      let notes = Snapshots()
      try calibrateDemonstration(
        CalibrationMemory(limit: limit, precision: precision),
        into: scratch.url(name),
        notes
      )
      #expect(notes.notes.contains { $0.hasPrefix("keeping ") } == (name == "file"))
    }
    #expect(try differences(scratch.url("memory"), scratch.url("file")) == [])
    #expect(try scratch.names() == ["file", "memory"])
  }

  @Test("bfloat16 moves factors by its rounding and no more, and the manifest says so")
  func rounding() throws {
    let scratch = try ScratchDirectory()
    for precision in ScratchPrecision.allCases {
      try calibrateDemonstration(
        CalibrationMemory(precision: precision),
        into: scratch.url(precision.rawValue),
        SilentProgress()
      )
    }
    let exact = try StatisticsReader(scratch.url("f32"))
    let rounded = try StatisticsReader(scratch.url("bf16"))
    #expect(rounded.manifest["settings"]?["activations"]?.string == "bf16")
    for (left, right) in zip(exact.layers, rounded.layers) {
      let ((a, g), (roundedA, roundedG)) = (
        try exact.factors(of: left), try rounded.factors(of: right)
      )
      // Each number is off by 2⁻⁹ of itself at most; layer after layer adds a little.
      #expect(relativeError(roundedA, a) <= 0.02 && relativeError(roundedG, g) <= 0.02)
      #expect(roundedG != g)
    }
  }

  @Test("a limit that one block alone exceeds is refused with what would do")
  func refused() throws {
    let scratch = try ScratchDirectory()
    let working = try footprint(.float32).working
    let needed = "\(Int((working / 1e6).rounded(.up)))MB"
    let error = try #require(throws: JobError.self) {
      try calibrateDemonstration(
        CalibrationMemory(limit: Int(working) - 1),
        into: scratch.url("out"),
        SilentProgress()
      )
    }
    #expect(error.description.contains("--memory \(needed)"))
    #expect(try scratch.names() == [])
    try calibrateDemonstration(
      CalibrationMemory(limit: try #require(ByteCount(needed)).value),
      into: scratch.url("out"),
      SilentProgress()
    )
  }

  @Test("a scratch directory that is not there is named, and nothing is left")
  func noDirectory() throws {
    let scratch = try ScratchDirectory()
    let error = try #require(throws: FileError.self) {
      try calibrateDemonstration(
        CalibrationMemory(
          limit: Int(try footprint(.float32).working) + 1,
          scratch: scratch.url("none")
        ),
        into: scratch.url("out"),
        SilentProgress()
      )
    }
    #expect(error.description.contains(scratch.path("none")))
    #expect(try scratch.names() == [])
  }

  /// More tokens than go through a block at once, so that there are several batches.
  private let windows = WindowChoice(samples: 68, length: 64)

  private func footprint(_ precision: ScratchPrecision) throws -> CalibrationFootprint {
    CalibrationFootprint(
      of: try OpenedModel(DemonstrationModel.directory.path).model,
      samples: 68,
      length: 64,
      precision: precision
    )
  }

  private func calibrateDemonstration(
    _ memory: CalibrationMemory,
    into output: URL,
    _ progress: any ProgressListener
  ) throws {
    _ = try calibrate(
      CalibrationOptions(
        model: DemonstrationModel.directory.path,
        input: .text([DemonstrationModel.calibrationText]),
        windows: windows,
        memory: memory,
        output: output
      ),
      progress: progress
    )
  }
}
