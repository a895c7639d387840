import LinearAlgebra
import Testing

@testable import Transformer

/// Keeps the rows of each group.
private struct InputRecorder: InputObserver, LinearObserver {
  var inputs: [String: [Float]] = [:]

  mutating func observe(_ group: InputGroup, inputs: Matrix<Float>) {
    self.inputs[group.name, default: []] += inputs.storage
  }
  mutating func observe(
    _ group: InputGroup,
    inputs: Matrix<Float>,
    gradients: [Matrix<Float>]
  ) { observe(group, inputs: inputs) }
}

@Suite("Inputs of linear layers")
struct InputTests {
  @Test(
    "are the ones that the backward pass shows, whatever the size of a batch",
    arguments: BlockTests.decoders,
    [4, 8, 4096]
  )
  func same(decoder: DecoderDescription, tokensPerBatch: Int) throws {
    let block = Pair(decoder).block
    var numbers = Numbers(state: 5)
    let hidden = matrix(numbers.rows(12, decoder.hiddenSize))
    var gradient = matrix(numbers.rows(12, decoder.hiddenSize))
    var (forward, backward) = (InputRecorder(), InputRecorder())
    block.showInputs(hidden, length: 4, tokensPerBatch: tokensPerBatch, to: &forward)
    try block.backward(
      &gradient,
      input: hidden,
      length: 4,
      tokensPerBatch: tokensPerBatch,
      observer: &backward
    )
    #expect(forward.inputs == backward.inputs)
    #expect(forward.inputs.count == 4)
  }
}
