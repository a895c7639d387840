import ExactJSON
import LinearAlgebra
import Tensors
import Testing

@testable import Transformer

/// What stays of a block: indices in the wide model's numbering.
private struct Kept {
  let heads: [Int]
  let groups: [Int]
  let neurons: [Int]

  /// The rows of a layer's weight that stay, or its columns; nil for all.
  func indices(of role: LinearRole, _ axis: Axis, headSize: Int) -> [Int]? {
    func channels(_ heads: [Int]) -> [Int] {
      heads.flatMap { head in (0..<headSize).map { head * headSize + $0 } }
    }
    return switch (role, axis) {
    case (.query, .rows), (.attentionOutput, .columns): channels(heads)
    case (.key, .rows), (.value, .rows): channels(groups)
    case (.gate, .rows), (.up, .rows), (.down, .columns): neurons
    default: nil
    }
  }

  enum Axis { case rows, columns }
}

/// A model whose blocks differ, and the wide one in which the missing parts reach nothing.
private struct CutPair {
  /// The parts of each block that stay; they leave four heads of two blocks unequal.
  static let kept: [String: [Kept]] = [
    "opt": independent, "llama": independent,
    // One whole group gone; one head of each group gone.
    "llama3": [
      Kept(heads: [2, 3], groups: [1], neurons: Array(3..<41)),
      Kept(heads: [0, 3], groups: [0, 1], neurons: [0, 7, 8, 30, 43]),
    ],
  ]
  private static let independent = [
    Kept(heads: [1], groups: [1], neurons: [5, 6, 7, 40]),
    Kept(heads: [0, 2, 3], groups: [0, 2, 3], neurons: Array(0..<44)),
  ]

  let wide: DecoderModel
  let narrow: DecoderModel
  let tokens: TokenSequences
  let parts: [Kept]

  init(_ name: String) throws {
    let fixture = try Fixture(name)
    let original = try fixture.model()
    let size = original.decoder.headSize
    parts = try #require(Self.kept[name])
    tokens = try fixture.tokens()
    var silenced = fixture.weights
    var cut = fixture.weights
    for linear in original.linears {
      let part = parts[linear.block]
      let rows = part.indices(of: linear.role, .rows, headSize: size)
      let columns = part.indices(of: linear.role, .columns, headSize: size)
      try Self.cut(linear, rows: rows, columns: columns, in: &cut)
      guard let columns else { continue }
      for column in 0..<linear.inputs where !columns.contains(column) {
        for row in 0..<linear.outputs {
          silenced.values[linear.weight]?[row * linear.inputs + column] = 0
        }
      }
    }
    wide = try DecoderModel(
      configuration: ModelConfiguration(config: fixture.config),
      source: silenced
    )
    narrow = try DecoderModel(
      configuration: ModelConfiguration(config: Self.configuration(fixture.config, parts, size)),
      source: cut
    )
  }

  private static func cut(
    _ linear: LinearDescription,
    rows: [Int]?,
    columns: [Int]?,
    in source: inout MemorySource
  ) throws {
    let rows = rows ?? Array(0..<linear.outputs)
    let columns = columns ?? Array(0..<linear.inputs)
    let values = try #require(source.values[linear.weight])
    source.set(
      linear.weight,
      [rows.count, columns.count],
      rows.flatMap { row in columns.map { values[row * linear.inputs + $0] } }
    )
    guard let bias = linear.bias else { return }
    let biases = try #require(source.values[bias])
    source.set(bias, [rows.count], rows.map { biases[$0] })
  }

  private static func configuration(
    _ config: JSONValue,
    _ parts: [Kept],
    _ headSize: Int
  ) throws -> JSONValue {
    var object = try #require(config.object)
    let lists = [
      "layer_num_attention_heads": parts.map(\.heads.count),
      "layer_num_key_value_heads": parts.map(\.groups.count),
      "layer_intermediate_size": parts.map(\.neurons.count),
    ]
    for (key, sizes) in lists { object[JSONText(key)] = .array(sizes.map { JSONValue($0) }) }
    object["head_dim"] = JSONValue(headSize)
    return .object(object)
  }

  /// The entries of a wide factor that the narrow one has; a trailing 1 stays.
  func kept(_ factor: Matrix<Double>, _ indices: [Int]?) -> Matrix<Double> {
    guard let indices else { return factor }
    let rows = indices
    return Matrix(
      rows: rows.count,
      columns: rows.count,
      storage: rows.flatMap { row in rows.map { factor[row, $0] } }
    )
  }
}

@Suite("Blocks of different shapes")
struct BlockShapeTests {
  static let names = ["opt", "llama", "llama3"]

  @Test("what is cut away is as if it reached nothing: logits and losses", arguments: names)
  func forward(name: String) throws {
    let pair = try CutPair(name)
    #expect(pair.narrow.decoder.uniformShape == nil)
    let (narrow, wide) = (try pair.narrow.logits(pair.tokens), try pair.wide.logits(pair.tokens))
    // Zeros times other numbers: nothing may change but the order of roundings.
    #expect(relativeError(narrow.widened(), wide.widened()) <= 1e-6)
    for (narrow, wide) in zip(
      try pair.narrow.losses(pair.tokens),
      try pair.wide.losses(pair.tokens)
    ) {
      #expect(abs(narrow - wide) <= 1e-6 * wide)
    }
  }

  @Test("what is cut away is as if it reached nothing: factors", arguments: names)
  func factors(name: String) throws {
    let pair = try CutPair(name)
    let size = pair.wide.decoder.headSize
    let (narrow, _, narrowGradient) = try calibrate(pair.narrow, pair.tokens)
    let (wide, _, wideGradient) = try calibrate(pair.wide, pair.tokens)
    #expect(relativeError(narrowGradient.widened(), wideGradient.widened()) <= 1e-5)
    for (index, linear) in pair.wide.linears.enumerated() {
      let part = pair.parts[linear.block]
      let (a, g) = try #require(narrow.factors(index, of: pair.narrow))
      let (wideA, wideG) = try #require(wide.factors(index, of: pair.wide))
      var columns = part.indices(of: linear.role, .columns, headSize: size)
      if linear.hasBias { columns?.append(linear.inputs) }
      let rows = part.indices(of: linear.role, .rows, headSize: size)
      #expect(relativeError(a, pair.kept(wideA, columns)) <= 1e-5, "A of \(linear.name)")
      #expect(relativeError(g, pair.kept(wideG, rows)) <= 1e-5, "G of \(linear.name)")
    }
  }

  @Test("the gradient of the first block's input is the difference quotient of the loss")
  func quotient() throws {
    let pair = try CutPair("llama3")
    let model = pair.narrow
    let (_, _, gradient) = try calibrate(model, pair.tokens)
    let input = try model.embed(pair.tokens)
    func loss(_ hidden: Matrix<Float>) throws -> Double {
      var hidden = hidden
      var workspace = BlockWorkspace()
      for index in 0..<model.decoder.blocks {
        try model.loadBlock(index).forward(
          &hidden,
          length: pair.tokens.length,
          in: &workspace
        )
      }
      let means = try model.loadHead().losses(hidden, pair.tokens)
      return means.reduce(0, +) * Double(pair.tokens.length - 1)
    }
    var numbers = Numbers(state: 5)
    for _ in 0..<3 {
      let direction = input.storage.map { _ in Float(numbers.next()) }
      func moved(_ step: Float) -> Matrix<Float> {
        let values = zip(input.storage, direction).map { $0 + step * $1 }
        return Matrix(rows: input.rows, columns: input.columns, storage: values)
      }
      let step: Float = 3e-3
      let quotient = (try loss(moved(step)) - loss(moved(-step))) / Double(2 * step)
      let terms = zip(gradient.storage, direction).map { Double($0) * Double($1) }
      let product = terms.reduce(0, +)
      let scale = terms.reduce(0) { $0 + abs($1) }
      // The loss is good to some 1e-6 in single precision, the quotient to 1e-4 by that and the step.
      #expect(abs(product - quotient) <= 1e-3 * scale)
    }
  }

  @Test("couplings number the units of their own block", arguments: names)
  func couplings(name: String) throws {
    let model = try CutPair(name).narrow
    for coupling in model.couplings {
      let producer = model.linears[coupling.producer]
      let rows = (0..<coupling.units).flatMap { coupling.producerRows(ofUnit: $0) }
      #expect(rows.sorted() == Array(0..<producer.outputs))
      let consumer = model.linears[coupling.consumer]
      let partners = (0..<coupling.units).flatMap { coupling.consumerIndices(ofUnit: $0) }
      let extent = coupling.meaning == .rowsFeedColumns ? consumer.inputs : consumer.outputs
      #expect(partners.sorted() == Array(0..<extent))
    }
  }

  @Test("a checkpoint of other sizes than its lists is refused with the tensor")
  func sizesOfTensors() throws {
    let fixture = try Fixture("llama")
    var object = try #require(fixture.config.object)
    object["layer_intermediate_size"] = [44, 43]
    let configuration = try ModelConfiguration(config: .object(object))
    let name: TensorName = "model.layers.1.mlp.gate_proj.weight"
    #expect(throws: ModelError.wrongShape(name, expected: [43, 32], found: [44, 32])) {
      try DecoderModel(configuration: configuration, source: fixture.weights)
    }
  }
}
