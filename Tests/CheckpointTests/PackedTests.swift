import Checkpoint
import ExactJSON
import Safetensors
import Tensors
import TestKit
import Testing

/// The parts of a packed matrix `p.weight`, to be spoilt one by one.
private struct Parts {
  /// `[1,0,0,2,0,0,3,0,0,4]`, `[0,0,0,0,5,0,0,0,0,0]` as compressed-tensors 0.14 stores it.
  static let bitmask = Parts(
    compressed: [1, 2, 3, 4, 5],
    compressedShape: [5],
    mask: [0x49, 0x02, 0x10, 0x00],
    maskShape: [2, 2],
    offsets: [0, 4],
    shape: [2, 10],
    shapeShape: [2]
  )
  /// `[1,0,0,2,0,3,4,0]` as compressed-tensors 0.14 stores it.
  static let twoOfFour = Parts(
    compressed: [1, 2, 3, 4],
    compressedShape: [1, 4],
    mask: [0x69],
    maskShape: [1, 1],
    offsets: nil,
    shape: [1, 8],
    shapeShape: [2, 1]
  )

  var compressed: [Float]
  var compressedShape: [Int]
  var mask: [UInt8]
  var maskShape: [Int]
  var offsets: [Int]?
  var shape: [Int]
  var shapeShape: [Int]

  private static func bytes(_ numbers: [Int]) -> [UInt8] {
    numbers.flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
  }

  /// A model directory that holds the parts and another tensor.
  func write(_ scratch: ScratchDirectory, configuration: String = "{}") throws -> String {
    func tensor(
      _ name: TensorName,
      _ shape: [Int],
      _ type: ElementType,
      _ bytes: [UInt8]
    ) -> SafetensorsWriter.Tensor {
      SafetensorsWriter.Tensor(name, Samples.description(shape, type), bytes: { bytes })
    }
    var tensors = [
      SafetensorsWriter.Tensor(
        "p.compressed",
        Samples.description(compressedShape, .bfloat16),
        floats: { compressed }
      ),
      tensor("p.bitmask", maskShape, .uint8, mask),
      tensor("p.shape", shapeShape, .int64, Self.bytes(shape)),
      SafetensorsWriter.Tensor("other", Samples.description([1]), floats: { [7] }),
    ]
    if let offsets {
      tensors.append(tensor("p.row_offsets", [offsets.count], .int64, Self.bytes(offsets)))
    }
    try scratch.write("in/config.json", configuration)
    try SafetensorsWriter.write(tensors, to: scratch.path("in/model.safetensors"))
    return scratch.path("in")
  }

  /// Opens the directory and expands the matrix.
  func read() throws -> [Float] {
    let scratch = try ScratchDirectory()
    return try ModelDirectory(try write(scratch)).tensors.floats("p.weight")
  }
}

@Suite("Packed weights")
struct PackedTests {
  @Test("matrices that compressed-tensors packed are served with their zeros")
  func expansion() throws {
    #expect(
      try Parts.bitmask.read() == [1, 0, 0, 2, 0, 0, 3, 0, 0, 4, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0]
    )
    #expect(try Parts.twoOfFour.read() == [1, 0, 0, 2, 0, 3, 4, 0])
  }

  @Test("the parts are hidden, the other tensors are as they were")
  func names() throws {
    let scratch = try ScratchDirectory()
    let model = try ModelDirectory(try Parts.bitmask.write(scratch))
    #expect(model.tensors.names == ["other", "p.weight"])
    #expect(model.tensors.description(of: "p.weight") == Samples.description([2, 10], .bfloat16))
    #expect(model.layout.fileOfTensor["p.weight"] == "model.safetensors")
    for part in ["compressed", "bitmask", "row_offsets", "shape"] {
      #expect(model.tensors.description(of: TensorName("p.\(part)")) == nil)
      #expect(throws: TensorError.missing(TensorName("p.\(part)"))) {
        try model.tensors.bytes(TensorName("p.\(part)"))
      }
    }
    #expect(try model.tensors.floats("other") == [7])
    let expanded = try model.tensors.withBytes("p.weight") { $0.byteCount }
    #expect(expanded == 40)
  }

  @Test("parts that contradict each other are refused")
  func contradictions() throws {
    func refuse(
      _ parts: Parts,
      _ change: (inout Parts) -> Void,
      _ words: String,
      location: SourceLocation = #_sourceLocation
    ) {
      var parts = parts
      change(&parts)
      let error = #expect(throws: CheckpointError.self, sourceLocation: location) {
        try parts.read()
      }
      #expect(error?.description.contains(words) == true, "\(error?.description ?? "none")")
    }
    refuse(.bitmask, { $0.mask[2] = 0x30 }, "keeps 6 elements, but 5")
    refuse(.bitmask, { $0.mask = [0x49, 0x00, 0x30, 0x00] }, "row 1 begins at 3")
    refuse(.bitmask, { $0.mask = [0x49, 0x04, 0x10, 0x00] }, "beyond its 10 columns")
    refuse(.bitmask, { $0.offsets = [0, 3] }, "row 1 begins at 4 by the mask, at 3")
    refuse(.bitmask, { $0.offsets = [0, 4, 5] }, "p.row_offsets is missing or not")
    refuse(.bitmask, { $0.shape = [2, 17] }, "p.bitmask is missing or not")
    refuse(.bitmask, { $0.shape = [-2, 10] }, "matrix")
    refuse(.bitmask, { $0.shape = [1 << 40, 1 << 40] }, "matrix")
    refuse(.bitmask, { $0.maskShape = [4, 1] }, "p.bitmask is missing or not")
    refuse(
      .bitmask,
      {
        $0.shape = [2, 10, 1]
        $0.shapeShape = [3]
      },
      "does not hold two numbers"
    )
    refuse(.twoOfFour, { $0.mask = [0x6B] }, "two of each four")
    refuse(.twoOfFour, { $0.shape = [1, 6] }, "cut into fours")
    refuse(.twoOfFour, { $0.shapeShape = [2] }, "p.shape is missing or not")
    refuse(.twoOfFour, { $0.compressedShape = [4] }, "p.compressed is missing or not")
  }

  @Test("what config.json says of packed weights is not part of the model")
  func configuration() throws {
    let scratch = try ScratchDirectory()
    let entry = """
      {"a": 1, "quantization_config": {"quant_method": "compressed-tensors", "format": "dense", \
      "sparsity_config": {"format": "sparse-24-bitmask"}}}
      """
    let model = try ModelDirectory(try Parts.twoOfFour.write(scratch, configuration: entry))
    #expect(model.configuration == ["a": 1])
    #expect(try JSONParser.parse(model.configurationBytes) == ["a": 1])
    let other = try ScratchDirectory()
    let quantised = entry.replacing("sparse-24-bitmask", with: "marlin-24")
    let kept = try ModelDirectory(try Parts.twoOfFour.write(other, configuration: quantised))
    #expect(kept.configuration["quantization_config"] != nil)
  }
}
