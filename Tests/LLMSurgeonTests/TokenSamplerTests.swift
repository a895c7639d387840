import Foundation
import Testing

@testable import LLMSurgeon

@Suite("Choosing the next token")
struct TokenSamplerTests {
  /// How often each of some tokens is drawn.
  private func counts(_ logits: [Float], _ choice: SamplingChoice, draws: Int) throws -> [Int] {
    var sampler = try TokenSampler(choice)
    var counts = [Int](repeating: 0, count: logits.count)
    for _ in 0..<draws { counts[sampler.next(logits)] += 1 }
    return counts
  }

  @Test("without sampling the greatest logit wins, the lowest token of equals")
  func greedy() throws {
    var sampler = try TokenSampler(nil)
    #expect(sampler.next([-3, 2, 7, 2, 7]) == 2)
    #expect(sampler.next([-1, -1]) == 0)
    #expect(sampler.next([-.greatestFiniteMagnitude]) == 0)
    #expect(sampler.next([-0.0, 0.0]) == 0)
  }

  @Test("tokens are drawn as often as the softmax of logits over temperature says")
  func frequencies() throws {
    let logits: [Float] = [0, 1, -1, 2]
    let draws = 20_000
    for temperature in [0.5, 1, 2] {
      let weights = logits.map { exp(Double($0) / temperature) }
      let sum = weights.reduce(0, +)
      let found = try counts(
        logits,
        SamplingChoice(temperature: temperature, seed: 7),
        draws: draws
      )
      let deviation = zip(found, weights).reduce(0.0) { total, pair in
        let expected = pair.1 / sum * Double(draws)
        return total + (Double(pair.0) - expected) * (Double(pair.0) - expected) / expected
      }
      // χ² with three degrees of freedom exceeds 16.3 once in a thousand seeds.
      #expect(deviation < 16.3, "temperature \(temperature)")
    }
  }

  @Test("top-k leaves the k most likely, the lowest of equals")
  func topK() throws {
    let logits: [Float] = [1, 3, 2, 2, -5]
    func drawn(_ k: Int) throws -> [Int] {
      let found = try counts(logits, SamplingChoice(temperature: 5, topK: k), draws: 500)
      return found.indices.filter { found[$0] > 0 }
    }
    #expect(try drawn(1) == [1])
    #expect(try drawn(2) == [1, 2])
    #expect(try drawn(3) == [1, 2, 3])
    #expect(try drawn(100) == [0, 1, 2, 3, 4])
  }

  @Test("top-p leaves the fewest tokens that reach the share")
  func topP() throws {
    // Probabilities 0.1, 0.5, 0.25, 0.15.
    let logits = [0.1, 0.5, 0.25, 0.15].map { Float(log($0)) }
    func drawn(_ p: Double, _ k: Int? = nil) throws -> [Int] {
      let found = try counts(logits, SamplingChoice(topK: k, topP: p), draws: 500)
      return found.indices.filter { found[$0] > 0 }
    }
    #expect(try drawn(1e-9) == [1])
    #expect(try drawn(0.49) == [1])
    #expect(try drawn(0.51) == [1, 2])
    #expect(try drawn(0.76) == [1, 2, 3])
    #expect(try drawn(1) == [0, 1, 2, 3])
    // Of the two that top-k leaves, the first has two thirds.
    #expect(try drawn(0.6, 2) == [1])
    #expect(try drawn(0.7, 2) == [1, 2])
  }

  @Test("the same seed draws the same tokens, another one others")
  func seeds() throws {
    let logits = [Float](repeating: 0, count: 1000)
    func drawn(_ seed: UInt64) throws -> [Int] {
      var sampler = try TokenSampler(SamplingChoice(seed: seed))
      return (0..<20).map { _ in sampler.next(logits) }
    }
    #expect(try drawn(1) == drawn(1))
    #expect(try drawn(1) != drawn(2))
  }

  @Test("extreme logits and temperatures draw the most likely token")
  func extremes() throws {
    let large = Float.greatestFiniteMagnitude
    for choice in [
      SamplingChoice(temperature: .leastNonzeroMagnitude),
      SamplingChoice(temperature: 1e-30, topP: 1),
      SamplingChoice(temperature: 1, topK: 3),
    ] {
      #expect(try counts([-large, 1, large, 0], choice, draws: 50)[2] == 50)
    }
  }

  @Test("numbers that are out of range are refused")
  func refusals() {
    for choice in [
      SamplingChoice(temperature: 0), SamplingChoice(temperature: -1),
      SamplingChoice(temperature: .nan), SamplingChoice(temperature: .infinity),
      SamplingChoice(topK: 0), SamplingChoice(topP: 0), SamplingChoice(topP: 1.1),
      SamplingChoice(topP: .nan),
    ] {
      #expect(throws: JobError.self) { try TokenSampler(choice) }
    }
  }
}
