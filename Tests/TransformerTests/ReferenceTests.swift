import LinearAlgebra
import Tensors
import Testing

@testable import Transformer

/// Against what transformers computes in double precision.
@Suite("Agreement with the reference implementation")
struct ReferenceTests {
  static let names = ["opt", "llama", "llama3"]

  @Test("logits agree to single precision", arguments: names)
  func logits(name: String) throws {
    let fixture = try Fixture(name)
    let logits = try fixture.model().logits(try fixture.tokens()).widened()
    let expected = try fixture.matrix("logits")
    let largest = expected.storage.map(abs).max() ?? 0
    let worst = zip(logits.storage, expected.storage).map { abs($0 - $1) }.max() ?? .infinity
    // Two blocks of sums of at most 48 products: some 100 roundings of 6e-8.
    #expect(worst <= 1e-5 * largest)
  }

  @Test("losses agree to single precision", arguments: names)
  func loss(name: String) throws {
    let fixture = try Fixture(name)
    let losses = try fixture.model().losses(try fixture.tokens())
    let expected = try #require(fixture.expected.values["loss"]?.first)
    #expect(abs(losses.reduce(0, +) / Double(losses.count) - expected) <= 1e-6 * expected)
  }

  @Test("the factors of every linear layer agree to single precision", arguments: names)
  func factors(name: String) throws {
    let fixture = try Fixture(name)
    let model = try fixture.model()
    let (observer, losses, _) = try calibrate(model, try fixture.tokens())
    #expect(try model.losses(try fixture.tokens()) == losses)
    let names = fixture.expected.names.map { "\($0)" }.filter { $0.hasPrefix("A.") }
    #expect(Set(names) == Set(model.linears.map { "A.\($0.name)" }))
    for (index, linear) in model.linears.enumerated() {
      let (a, g) = try #require(observer.factors(index, of: model))
      #expect(relativeError(a, try fixture.matrix("A.\(linear.name)")) <= 1e-5, "\(linear.name)")
      #expect(relativeError(g, try fixture.matrix("G.\(linear.name)")) <= 1e-4, "\(linear.name)")
    }
  }
}
