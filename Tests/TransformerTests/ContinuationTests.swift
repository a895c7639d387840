import LinearAlgebra
import Tensors
import Testing

@testable import Transformer

@Suite("Continuing a sequence")
struct ContinuationTests {
  static let names = ["opt", "llama", "llama3"]

  /// The first sequence of a fixture and the logits behind each of its tokens, by a full pass.
  private func example(_ name: String) throws -> (ResidentModel, [Int], Matrix<Float>) {
    let fixture = try Fixture(name)
    let model = try fixture.model()
    let sequences = try fixture.tokens()
    let tokens = Array(sequences.tokens.prefix(sequences.length))
    let whole = try model.logits(TokenSequences(tokens: tokens, length: tokens.count))
    return (try ResidentModel(model), tokens, whole)
  }

  private func row(_ logits: Matrix<Float>, _ index: Int) -> Matrix<Double> {
    logits.selecting(rows: index..<index + 1).widened()
  }

  private func matrix(_ logits: [Float]) -> Matrix<Double> {
    Matrix(rows: 1, columns: logits.count, storage: logits.map(Double.init))
  }

  @Test("token by token: the logits of a full pass", arguments: names)
  func tokenByToken(name: String) throws {
    let (model, tokens, whole) = try example(name)
    var sequence = Continuation(of: model)
    for (index, token) in tokens.enumerated() {
      let logits = try sequence.append([token])
      #expect(sequence.count == index + 1)
      // The same sums of rounded products in another order.
      #expect(relativeError(matrix(logits), row(whole, index)) <= 1e-5)
    }
  }

  @Test("in pieces of any size: the logits of a full pass", arguments: names, [2, 3, 5, 100])
  func pieces(name: String, size: Int) throws {
    let (model, tokens, whole) = try example(name)
    var sequence = Continuation(of: model, expecting: tokens.count)
    for first in stride(from: 0, to: tokens.count, by: size) {
      let last = min(tokens.count, first + size)
      let logits = try sequence.append(Array(tokens[first..<last]))
      #expect(relativeError(matrix(logits), row(whole, last - 1)) <= 1e-5)
    }
  }

  @Test("longer than what goes through at once and than the tables made at first")
  func long() throws {
    let model = try Fixture("llama3").model()
    let count = Continuation.tokensAtOnce + 200
    let tokens = (0..<count).map { ($0 * 37 + $0 / 7) % 96 }
    let whole = try model.logits(TokenSequences(tokens: tokens, length: count))
    var sequence = Continuation(of: try ResidentModel(model))
    let logits = try sequence.append(Array(tokens.dropLast(2)))
    #expect(relativeError(matrix(logits), row(whole, count - 3)) <= 1e-5)
    let next = try sequence.append(Array(tokens.suffix(2)))
    #expect(relativeError(matrix(next), row(whole, count - 1)) <= 1e-5)
  }

  @Test("the bits do not depend on the number of threads", arguments: names)
  func threads(name: String) throws {
    let (model, tokens, _) = try example(name)
    let before = Parallelism.threads
    defer { Parallelism.threads = before }
    let results = try [1, 4].map { threads in
      Parallelism.threads = threads
      var sequence = Continuation(of: model)
      return try [sequence.append(tokens), sequence.append([1])]
    }
    #expect(results[0] == results[1])
  }

  @Test("blocks of different shapes: the logits of a full pass", arguments: names)
  func shapes(name: String) throws {
    let model = try CutPair(name).narrow
    let tokens = [1, 17, 80, 3, 3, 42, 9]
    let whole = try model.logits(TokenSequences(tokens: tokens, length: tokens.count))
    var sequence = Continuation(of: try ResidentModel(model))
    _ = try sequence.append(Array(tokens.prefix(4)))
    for index in 4..<7 {
      let logits = try sequence.append([tokens[index]])
      #expect(relativeError(matrix(logits), row(whole, index)) <= 1e-5)
    }
  }

  @Test("a copy goes its own way")
  func copies() throws {
    let (model, tokens, _) = try example("llama3")
    var first = Continuation(of: model)
    _ = try first.append(tokens)
    var second = first
    let other = try second.append([3, 4])
    let expected = try first.append([5])
    _ = try second.append([6])
    var fresh = Continuation(of: model)
    _ = try fresh.append(tokens)
    #expect(try fresh.append([5]) == expected)
    #expect(other != expected)
  }

  @Test("what the model cannot take is refused, and the sequence stays as it was")
  func refusals() throws {
    let (model, _, _) = try example("opt")
    #expect(model.longestSequence == 64)
    var sequence = Continuation(of: model)
    _ = try sequence.append([Int](repeating: 5, count: 63))
    #expect(throws: ModelError.sequenceTooLong(length: 65, limit: 64)) {
      try sequence.append([1, 2])
    }
    for bad in [-1, 96, Int.max] {
      #expect(
        throws: ModelError.tokenOutsideVocabulary(
          token: bad,
          sequence: 0,
          position: 63,
          vocabulary: 96
        )
      ) { try sequence.append([bad]) }
    }
    #expect(sequence.count == 63)
    #expect(try sequence.append([1]).count == 96)
    #expect(throws: ModelError.sequenceTooLong(length: 65, limit: 64)) {
      try sequence.append([1])
    }
  }

  @Test("logits that overflow are an error, never a choice")
  func overflow() throws {
    var fixture = try Fixture("llama").weights
    let name: TensorName = "model.layers.1.mlp.down_proj.weight"
    fixture.values[name] = fixture.values[name]?.map { _ in 3e38 }
    let configuration = try ModelConfiguration(config: ConfigurationTests.config("llama"))
    let model = try DecoderModel(configuration: configuration, source: fixture)
    var sequence = Continuation(of: try ResidentModel(model))
    #expect(throws: ModelError.logitsNotFinite(position: 1)) { try sequence.append([1, 2]) }
  }
}
