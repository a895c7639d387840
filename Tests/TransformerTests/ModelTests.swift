import ExactJSON
import LinearAlgebra
import MixedPrecision
import Tensors
import TestKit
import Testing

@testable import Transformer

@Suite("Whole passes")
struct ModelTests {
  /// So many short sequences that each thread takes its own through a block, the last piece smaller.
  private func manySequences(_ fixture: Fixture) throws -> TokenSequences {
    let few = try fixture.tokens()
    let vocabulary = try fixture.model().decoder.vocabulary
    let tokens = (0..<140).flatMap { shift in
      few.tokens[..<few.length].map { ($0 * (shift + 1) + shift) % vocabulary }
    }
    return try TokenSequences(tokens: tokens, length: few.length)
  }

  @Test("many short sequences are cut into pieces, few into none")
  func pieces() {
    let many = SequenceBatch(rows: 4096..<6400, length: 16)
    #expect(many.rowsPerPiece == 256 && many.pieces == 9)
    #expect(many.layout(rows: 256, headSize: 4).piece == 256)
    let few = SequenceBatch(rows: 0..<4096, length: 1024)
    #expect(few.rowsPerPiece == 4096 && few.pieces == 1)
    #expect(few.layout(rows: 4096, headSize: 4).piece == 256)
  }

  @Test("the factors do not depend on how sequences are batched", arguments: ["opt", "llama3"])
  func batching(name: String) throws {
    let fixture = try Fixture(name)
    let model = try fixture.model()
    let sequences = try manySequences(fixture)
    let all = try calibrate(model, sequences)
    let single = try calibrate(model, sequences, tokensPerBatch: 1)
    #expect(relativeError(all.gradient.widened(), single.gradient.widened()) <= 1e-5)
    #expect(zip(all.losses, single.losses).allSatisfy { abs($0 - $1) <= 1e-6 * $1 })
    for index in model.linears.indices {
      let left = try #require(all.observer.factors(index, of: model))
      let right = try #require(single.observer.factors(index, of: model))
      // The same sums of rounded products in another order.
      #expect(relativeError(left.a, right.a) <= 1e-5)
      #expect(relativeError(left.g, right.g) <= 1e-5)
    }
  }

  @Test("a linear layer in bfloat16 is one of rounded weights that reads rounded numbers")
  func roundedLinear() throws {
    let model = try Fixture("opt").model()
    let exact = try model.loadBlock(0).down
    let rounded = try model.multiplying(in: .bfloat16).loadBlock(0).down
    let twin = Linear(weight: BFloat16Matrix(rounding: exact.weight).widened, bias: exact.bias)
    var random = SplitMix64(seed: 8)
    func sample(_ columns: Int) -> Matrix<Float> {
      let numbers = (0..<40 * columns).map { _ in Float.random(in: -1...1, using: &random) }
      return Matrix(rows: 40, columns: columns, storage: numbers)
    }
    let (inputs, slopes) = (sample(exact.weight.columns), sample(exact.weight.rows))
    for piece in [16, 40] {
      var (results, expected) = (slopes, slopes)
      rounded.forward(inputs, into: &results, adding: true, piece: piece)
      let roundedInputs = BFloat16Matrix(rounding: inputs).widened
      twin.forward(roundedInputs, into: &expected, adding: true, piece: 40)
      #expect(relativeError(results.widened(), expected.widened()) <= 1e-6)
      (results, expected) = (inputs, inputs)
      rounded.backward(slopes, into: &results, piece: piece)
      twin.backward(BFloat16Matrix(rounding: slopes).widened, into: &expected, piece: 40)
      #expect(relativeError(results.widened(), expected.widened()) <= 1e-6)
    }
  }

  @Test("products of bfloat16 numbers change little, and all", arguments: ["opt", "llama3"])
  func bfloat16(name: String) throws {
    let fixture = try Fixture(name)
    let model = try fixture.model()
    let sequences = try manySequences(fixture)
    let single = try calibrate(model, sequences)
    let rounded = try calibrate(model.multiplying(in: .bfloat16), sequences)
    // Both factors are rounded, by up to 2⁻⁹ of them, in each of some ten products one after the other,
    // and a ReLU near zero changes sides.
    let few = 1e-4..<0.1
    let error = relativeError(rounded.gradient.widened(), single.gradient.widened())
    #expect(few.contains(error))
    for (left, right) in zip(rounded.losses, single.losses) {
      #expect(left != right && abs(left - right) <= 1e-2 * right)
    }
    for index in model.linears.indices {
      let left = try #require(rounded.observer.factors(index, of: model))
      let right = try #require(single.observer.factors(index, of: model))
      #expect(relativeError(left.a, right.a) < few.upperBound)
      #expect(few.contains(relativeError(left.g, right.g)))
    }
  }

  @Test(
    "the bits do not depend on the number of threads",
    arguments: ["opt", "llama3"],
    [ProductPrecision.float32, .bfloat16]
  )
  func threads(name: String, products: ProductPrecision) throws {
    let fixture = try Fixture(name)
    let model = try fixture.model().multiplying(in: products)
    let before = Parallelism.threads
    defer { Parallelism.threads = before }
    var results: [[Float]] = []
    for sequences in [try fixture.tokens(), try manySequences(fixture)] {
      for threads in [1, 4] {
        Parallelism.threads = threads
        let pass = try calibrate(model, sequences, labels: .model(seed: 5))
        results.append(pass.gradient.storage)
      }
    }
    #expect(results[0] == results[1])
    #expect(results[2] == results[3])
  }

  @Test("the last position of a sequence has no gradient; the rest has")
  func lastPosition() throws {
    let fixture = try Fixture("opt")
    let model = try fixture.model()
    let sequences = try fixture.tokens()
    var hidden = try model.embed(sequences)
    _ = try model.loadHead().differentiate(&hidden, sequences, labels: .text)
    for row in 0..<hidden.rows {
      let isZero = (0..<hidden.columns).allSatisfy { hidden[row, $0] == 0 }
      #expect(isZero == ((row + 1) % sequences.length == 0))
    }
  }

  @Test("drawn labels depend on the seed and the place alone")
  func drawnLabels() throws {
    let fixture = try Fixture("llama")
    let model = try fixture.model()
    let sequences = try fixture.tokens()
    let head = try model.loadHead()
    func gradient(_ seed: UInt64, _ part: Range<Int>) throws -> Matrix<Float> {
      let length = sequences.length
      let tokens = Array(sequences.tokens[part.lowerBound * length..<part.upperBound * length])
      let cut = try TokenSequences(tokens: tokens, length: length)
      var hidden = try model.embed(cut)
      _ = try head.differentiate(
        &hidden,
        cut,
        labels: .model(seed: seed),
        firstSequence: part.lowerBound
      )
      return hidden
    }
    let whole = try gradient(1, 0..<2)
    #expect(try gradient(1, 0..<2) == whole)
    #expect(try gradient(2, 0..<2) != whole)
    let parts = try gradient(1, 0..<1).storage + gradient(1, 1..<2).storage
    let joined = Matrix(rows: whole.rows, columns: whole.columns, storage: parts)
    // One other label would change its row by as much as the row is long.
    #expect(relativeError(joined.widened(), whole.widened()) <= 1e-5)
  }

  @Test("labels are drawn as often as their shares say")
  func frequencies() {
    var shares: [Float] = [9, 0, 1, 4, 0, 2, 9]
    let generator = PlaceGenerator(seed: 1)
    var counts = [Double](repeating: 0, count: 4)
    let draws = 40_000
    for draw in 0..<draws {
      let uniform = generator.uniform(sequence: draw / 100, position: draw % 100)
      #expect(0..<1 ~= uniform)
      let span = shares.mutableSpan
      let index = drawIndex(span, 2..<6, below: uniform * 7)
      counts[index] += 1
    }
    let expected = [1.0, 4, 0, 2].map { $0 / 7 * Double(draws) }
    #expect(counts[2] == 0)
    let deviation = zip(counts, expected).reduce(0) {
      $1.1 > 0 ? $0 + ($1.0 - $1.1) * ($1.0 - $1.1) / $1.1 : $0
    }
    // χ² with two degrees of freedom exceeds 13.8 once in a thousand seeds.
    #expect(deviation < 13.8)
  }

  @Test("rounding at the end of a row draws the last label that has a share")
  func drawEdges() {
    var shares: [Float] = [0, 3, 5, 0]
    let span = shares.mutableSpan
    for (bound, expected) in [(0, 1), (3, 2), (8, 2)] {
      let drawn = drawIndex(span, 0..<4, below: Double(bound))
      #expect(drawn == expected)
    }
  }

  @Test("tokens that do not fit are refused with their place")
  func tokens() throws {
    let model = try Fixture("opt").model()
    #expect(throws: ModelError.unequalSequences(length: 4, tokens: 6)) {
      try TokenSequences(tokens: [1, 2, 3, 4, 5, 6], length: 4)
    }
    #expect(throws: ModelError.unequalSequences(length: 4, tokens: 0)) {
      try TokenSequences(tokens: [], length: 4)
    }
    for bad in [-1, 96, Int.max] {
      let sequences = try TokenSequences(tokens: [1, 2, 3, bad], length: 2)
      #expect(
        throws: ModelError.tokenOutsideVocabulary(
          token: bad,
          sequence: 1,
          position: 1,
          vocabulary: 96
        )
      ) { try model.embed(sequences) }
    }
    let long = try TokenSequences(tokens: [Int](repeating: 1, count: 65), length: 65)
    #expect(throws: ModelError.sequenceTooLong(length: 65, limit: 64)) { try model.embed(long) }
    let short = try TokenSequences(tokens: [1, 2], length: 1)
    #expect(throws: ModelError.sequenceTooShort(length: 1)) { try model.losses(short) }
  }

  @Test("rotary positions have no table to leave")
  func longRotary() throws {
    let model = try Fixture("llama").model()
    let long = try TokenSequences(tokens: [Int](repeating: 1, count: 65), length: 65)
    #expect(try model.losses(long)[0].isFinite)
  }
}
