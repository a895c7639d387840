import LinearAlgebra
import Tensors
import Training
import Transformer

/// Adds up the gradients of what is trained while the backward pass shows what enters and leaves the
/// linear layers, the norms and the head.
struct GradientObserver: LinearObserver, HeadObserver {
  private let model: DecoderModel
  private let sites: [TensorName: TrainedModel.Site]
  private let parameters: [Parameter]
  /// What was added up so far.
  private(set) var gradients: Gradients
  /// The block that the backward pass goes through.
  private var block = 0
  /// The stored matrices of that block whose entries multiply those of the factors' product.
  private var weights: [TensorName: Matrix<Float>] = [:]

  /// An observer that has seen nothing.
  init(_ trained: TrainedModel) {
    model = trained.base
    sites = trained.sites
    parameters = trained.parameters
    gradients = Gradients(of: trained.parameters)
  }

  var observesNorms: Bool { true }

  /// Prepares for a block; called before the backward pass goes through it.
  ///
  /// - Throws: What reading the weights throws.
  mutating func enter(_ block: Int, of trained: TrainedModel) throws {
    self.block = block
    weights = [:]
    for linear in model.linears where linear.block == block {
      guard case .adapted(let adapter, _, _) = sites[linear.weight], adapter.kind.isRelative
      else { continue }
      weights[linear.weight] = try trained.matrix(linear.weight, of: adapter)
    }
  }

  mutating func observe(_ traffic: [LinearTraffic]) {
    for shown in traffic {
      for (index, slopes) in zip(shown.group.linears, shown.gradients) {
        let linear = model.linears[index]
        if let name = linear.bias { addColumnSums(of: slopes, to: name) }
        guard sites[linear.weight] != nil else { continue }
        add(products(slopes, shown.inputs), to: linear.weight)
      }
    }
  }

  mutating func observe(_ norms: BlockNormGradients) {
    let names = model.normTensors(ofBlock: block)
    add(norms.attention, to: names.attention)
    add(norms.feedForward, to: names.feedForward)
  }

  mutating func observe(_ traffic: HeadTraffic) {
    add(traffic.norm, to: model.finalNormTensors)
    let name = model.outputHead ?? model.tokenEmbedding
    switch sites[name] {
    case .values(let index): gradients.addProduct(traffic.gradients, traffic.inputs, to: index)
    case .adapted: add(products([traffic.gradients], [traffic.inputs]), to: name)
    case .masked, .bias, nil: break
    }
  }

  /// Adds the gradients of the embeddings.
  ///
  /// - Parameters:
  ///   - slopes: The gradient with respect to the first block's input, shape `[tokens, hidden]`.
  ///   - sequences: The tokens.
  mutating func observe(embedded slopes: Matrix<Float>, of sequences: TokenSequences) {
    if case .values(let index) = sites[model.tokenEmbedding] {
      gradients.addRows(slopes, at: sequences.tokens, to: index)
    }
    guard let positions = model.positionEmbedding,
      case .values(let index) = sites[positions.name]
    else { return }
    let places = sequences.tokens.indices.map { $0 % sequences.length + positions.offset }
    gradients.addRows(slopes, at: places, to: index)
  }

  /// `Σ δᵀ x` over the pieces, in order: the gradient of a weight matrix.
  private func products(_ slopes: [Matrix<Float>], _ inputs: [Matrix<Float>]) -> Matrix<Float> {
    var sum = Matrix<Float>(rows: slopes[0].columns, columns: inputs[0].columns)
    for (slope, input) in zip(slopes, inputs) {
      multiplyTiled(slope.transposedView, input.view, keeping: 1, into: &sum)
    }
    return sum
  }

  private mutating func add(_ gradient: Matrix<Float>, to name: TensorName) {
    switch sites[name] {
    case .adapted(let adapter, let a, let b):
      let factors = adapter.gradients(
        gradient,
        weight: weights[name] ?? gradient,
        a: parameters[a].values,
        b: parameters[b].values
      )
      gradients.add(factors.a, to: a)
      gradients.add(factors.b, to: b)
    case .masked(let index, let mask):
      var kept = gradient.storage
      mask.apply(to: &kept)
      gradients.add(kept, to: index)
    case .values, .bias, nil: break
    }
  }

  private mutating func addColumnSums(of slopes: [Matrix<Float>], to name: TensorName) {
    guard case .bias(let index, let mask) = sites[name] else { return }
    var sum = [Float](repeating: 0, count: parameters[index].values.count)
    for slope in slopes {
      for row in 0..<slope.rows {
        let start = row * slope.columns
        for column in 0..<slope.columns { sum[column] += slope.storage[start + column] }
      }
    }
    mask.apply(to: &sum)
    gradients.add(sum, to: index)
  }

  private mutating func add(_ gradient: NormGradient, to names: NormTensors) {
    if case .values(let index) = sites[names.weight] { gradients.add(gradient.weight, to: index) }
    guard let bias = names.bias, case .values(let index) = sites[bias] else { return }
    gradients.add(gradient.bias, to: index)
  }
}
