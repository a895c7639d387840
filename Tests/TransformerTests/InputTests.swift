import LinearAlgebra
import Testing

@testable import Transformer

/// Keeps the rows of each group.
private struct InputRecorder: LinearObserver {
  var inputs: [String: [Float]] = [:]

  mutating func observe(_ traffic: [LinearTraffic]) {
    for shown in traffic {
      inputs[shown.group.name, default: []] += shown.inputs.flatMap(\.storage)
    }
  }
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
    var workspace = BlockWorkspace()
    let passed = BlockInput(hidden, length: 4, tokensPerBatch: tokensPerBatch)
    block.showInputs(passed, in: &workspace, to: &forward)
    try block.backward(&gradient, passed, in: &workspace, observer: &backward)
    #expect(forward.inputs == backward.inputs)
    #expect(forward.inputs.count == 4)
  }
}
