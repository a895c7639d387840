package import Tensors

/// The tensors of a model with what a cut removes left out, made when they are read.
///
/// Names and element types stay. The stored bits of what is kept stay too, but for zeros, which lose
/// a negative sign in the tensors that are cut.
package struct CutTensors: TensorSource {
  /// What is kept of one tensor; nil keeps all.
  private struct Selection {
    var rows: [Int]?
    var columns: [Int]?
  }

  private let base: any TensorSource
  private let selections: [TensorName: Selection]

  /// Cuts the linear layers of a model.
  ///
  /// - Parameters:
  ///   - model: The model before the cut.
  ///   - cut: What stays; its blocks are those of the model.
  package init(_ model: DecoderModel, _ cut: ModelCut) {
    precondition(cut.blocks.count == model.decoder.blocks, "a cut of this model")
    base = model.source
    var selections: [TensorName: Selection] = [:]
    for linear in model.linears {
      let block = cut.blocks[linear.block]
      guard block.shape != model.decoder.blockShapes[linear.block] else { continue }
      let selection = Self.selection(linear.role, block, headSize: model.decoder.headSize)
      selections[linear.weight] = selection
      if let bias = linear.bias, selection.rows != nil {
        selections[bias] = Selection(rows: selection.rows)
      }
    }
    self.selections = selections
  }

  /// The tensors that a cut bears on, sorted by bytes.
  package var cutNames: [TensorName] { selections.keys.sorted() }

  package var names: [TensorName] { base.names }

  package func description(of name: TensorName) -> TensorDescription? {
    guard let whole = base.description(of: name) else { return nil }
    guard let selection = selections[name] else { return whole }
    var shape = whole.shape
    if let rows = selection.rows { shape[0] = rows.count }
    if let columns = selection.columns { shape[1] = columns.count }
    return TensorDescription(elementType: whole.elementType, shape: shape)
  }

  package func bytes(_ name: TensorName) throws -> [UInt8] {
    guard let selection = selections[name] else { return try base.bytes(name) }
    let whole = try base.existing(name)
    let kept = try base.withBytes(name) { Self.select(selection, of: whole, $0) }
    return whole.elementType.withoutNegativeZeros(kept)
  }

  private static func selection(
    _ role: LinearRole,
    _ block: BlockCut,
    headSize: Int
  ) -> Selection {
    func channels(_ heads: [Int]) -> [Int] {
      heads.flatMap { $0 * headSize..<($0 + 1) * headSize }
    }
    return switch role {
    case .query: Selection(rows: channels(block.heads))
    case .key, .value: Selection(rows: channels(block.keyValueHeads))
    case .attentionOutput: Selection(columns: channels(block.heads))
    case .gate, .up: Selection(rows: block.neurons)
    case .down: Selection(columns: block.neurons)
    }
  }

  /// Copies the elements at kept rows and columns.
  private static func select(
    _ selection: Selection,
    of whole: TensorDescription,
    _ bytes: RawSpan
  ) -> [UInt8] {
    let size = whole.elementType.byteCount
    let columns = whole.shape.count > 1 ? whole.shape[1] : 1
    let rows = selection.rows ?? Array(0..<whole.shape[0])
    let runs = selection.columns.map(runs) ?? [0..<columns]
    let width = runs.reduce(0) { $0 + $1.count }
    var result: [UInt8] = []
    result.reserveCapacity(rows.count * width * size)
    for row in rows {
      for run in runs {
        let start = (row * columns + run.lowerBound) * size
        let piece = bytes.extracting(start..<start + run.count * size)
        unsafe piece.withUnsafeBytes { buffer in
          // SAFETY: the buffer is read during the call.
          unsafe result.append(contentsOf: buffer)
        }
      }
    }
    return result
  }

  /// Ascending indices as ranges, which are copied at once.
  private static func runs(_ indices: [Int]) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    for index in indices {
      if let last = runs.last, last.upperBound == index {
        runs[runs.count - 1] = last.lowerBound..<index + 1
      } else {
        runs.append(index..<index + 1)
      }
    }
    return runs
  }
}
