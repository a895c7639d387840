import LinearAlgebra
import Report
import Transformer

extension GradientPass {
  private func sequences(_ batch: Range<Int>) throws -> TokenSequences {
    try TokenSequences(tokens: Array(windows.tokens[batch]), length: windows.length)
  }

  func embed(_ kept: inout Kept) throws {
    guard kept.inputs.complete == 0 else { return }
    let embedding = try TokenEmbedding(model, length: windows.length)
    for (batch, rows) in batches.enumerated() {
      try kept.inputs.store.keep(embedding.embed(sequences(rows)), plane: 0, batch: batch)
    }
    try kept.inputs.finish(0)
  }

  /// Runs the blocks forward and keeps their inputs.
  func forward(
    _ kept: inout Kept,
    needsOutput: Bool,
    in workspace: inout BlockWorkspace,
    progress: any ProgressListener
  ) throws {
    let top = kept.inputs.store.shape.planes - 1
    progress.begin("\(name), forward", total: top + 1, unit: "blocks")
    defer { progress.end() }
    progress.resume(at: kept.inputs.complete - 1)
    // The input of this block is complete, that of the next is not.
    for index in kept.inputs.complete - 1..<(needsOutput ? top + 1 : top) {
      let block = mask[index].isEmpty ? nil : try model.loadBlock(index).only(mask[index])
      for batch in batches.indices {
        var hidden = try kept.inputs.store.batch(batch, plane: index)
        block?.forward(&hidden, length: windows.length, in: &workspace)
        if index < top {
          try kept.inputs.store.keep(hidden, plane: index + 1, batch: batch)
        } else {
          try kept.gradient.keep(hidden, plane: 0, batch: batch)
        }
      }
      if index < top { try kept.inputs.finish(index + 1) }
      progress.advance(to: index + 1)
    }
  }

  /// Replaces the last block's output by the gradient with respect to it.
  ///
  /// - Returns: The mean cross entropy, in nats per predicted token.
  func differentiateHead(_ kept: inout Kept) throws -> Double {
    let head = try model.loadHead()
    var losses: [Double] = []
    for (batch, rows) in batches.enumerated() {
      var gradient = try kept.gradient.take(batch, plane: 0)
      losses += try head.differentiate(
        &gradient,
        sequences(rows),
        labels: labels,
        firstSequence: firstSequence + rows.lowerBound / windows.length
      )
      try kept.gradient.keep(gradient, plane: 0, batch: batch)
    }
    return losses.reduce(0, +) / Double(losses.count)
  }

  /// Goes back through a block; one of which nothing runs hands the gradient on.
  func backward(
    _ index: Int,
    _ kept: inout Kept,
    past visitor: inout some GradientVisitor,
    in workspace: inout BlockWorkspace
  ) throws {
    guard !mask[index].isEmpty else { return }
    let block = try model.loadBlock(index).only(mask[index])
    for number in batches.indices {
      let input = try kept.inputs.store.take(number, plane: index)
      let batch = Batch(
        block: block,
        input: input,
        length: windows.length,
        number: number,
        inputs: kept.inputs.store
      )
      var gradient = try kept.gradient.take(number, plane: 0)
      try visitor.visit(batch, gradient: &gradient, in: &workspace)
      try kept.gradient.keep(gradient, plane: 0, batch: number)
    }
    try visitor.finish(block: index)
  }
}
