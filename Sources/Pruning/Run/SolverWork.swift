/// The floating-point operations of the solver, counted from the shapes of the layers.
///
/// An addition and a multiplication are two. Conjugate gradients are counted with all the iterations
/// that the limits allow, exchanges with all their rounds: the work is at most this.
package struct SolverWork: Equatable, Sendable {
  /// Operations in single precision: products with both factors.
  package private(set) var single = 0.0
  /// Operations in double precision: factorisations, inverses, and what is solved by them.
  package private(set) var double = 0.0

  /// Counts what pruning takes.
  ///
  /// - Parameters:
  ///   - shapes: The layers.
  ///   - settings: What is removed, and how; a method that compares layers.
  ///   - readers: The places of the layers whose columns are units, where these are removed.
  package init(
    _ shapes: [SolverFootprint.Shape],
    settings: PruningSettings,
    readers: [Int] = []
  ) {
    switch settings.structure {
    case .rowsColumns, .rows, .columns:
      for shape in shapes { addStructured(shape, settings) }
    case .element, .nm:
      for shape in shapes { addMasked(shape, settings) }
    case .units:
      for reader in readers { addUnits(shapes[reader], settings) }
    }
  }

  /// Rows and columns: what is kept gets smaller from step to step.
  private mutating func addStructured(_ layer: SolverFootprint.Shape, _ settings: PruningSettings) {
    let shares = settings.schedule(from: 0)
    for removed in [0] + shares.dropLast() {
      let kept = KeptShape(layer, settings.structure, removed: removed)
      guard settings.method.repairs else {
        single += kept.products
        continue
      }
      // Triangles take half; the factors, and the diagonals of their inverses.
      single += kept.products / 2
      double += 2 * kept.factorisations + kept.optimum
    }
    guard settings.method.repairs else { return }
    let kept = KeptShape(layer, settings.structure, removed: settings.target)
    double += kept.factorisations + kept.optimum
    single += Self.losses(layer)
  }

  /// Single weights and blocks: rows and columns mostly stay.
  private mutating func addMasked(_ layer: SolverFootprint.Shape, _ settings: PruningSettings) {
    guard settings.method.repairs else { return }
    let whole = KeptShape(layer, settings.structure, removed: 0)
    let steps = Double(settings.steps)
    // Each step but the first repairs, and begins with the residual.
    var products = (steps - 1) * Double(1 + settings.stepRepair.iterations)
    double += steps * 2 * whole.factorisations
    let repair = Double(1 + settings.finalRepair.iterations)
    if settings.isExchanging {
      // A round repairs, then asks what each weight would become.
      products += Double(1 + settings.exchanges) * (repair + 1)
    }
    products += repair
    single += products * whole.products + Self.losses(layer)
    if case .nm(_, let size) = settings.structure {
      // `L⁻¹` once more, and the products of its rows within blocks.
      double += whole.inputs * whole.inputs * (whole.inputs / 3 + Double(size))
    }
  }

  /// Neurons and heads: `A⁻¹` and `Wᵀ G W`, three updates of them for each column that goes, the repair.
  private mutating func addUnits(_ layer: SolverFootprint.Shape, _ settings: PruningSettings) {
    let whole = KeptShape(layer, settings.structure, removed: 0)
    guard settings.method.repairs else {
      single += whole.products
      return
    }
    let kept = KeptShape(layer, settings.structure, removed: settings.target)
    let removed = whole.inputs - kept.inputs
    double += whole.inputs * whole.inputs * (whole.inputs + 6 * removed)
    double += 2 * whole.outputs * whole.inputs * (whole.outputs + whole.inputs)
    double += kept.factorisations + kept.optimum
    single += Self.losses(layer)
  }

  /// The losses before and after a repair.
  private static func losses(_ layer: SolverFootprint.Shape) -> Double {
    2 * KeptShape(layer, .element, removed: 0).products
  }
}

/// What is kept of a layer, in rows and columns.
private struct KeptShape {
  let outputs: Double
  let inputs: Double
  private let lostOutputs: Double
  private let lostInputs: Double

  /// Takes a share of the weights away, from both sides alike where both are removed.
  init(_ layer: SolverFootprint.Shape, _ structure: Structure, removed: Double) {
    let (rows, columns) = (Double(layer.outputs), layer.columns)
    let kept = 1 - removed
    let (rowShare, columnShare): (Double, Double) =
      switch structure {
      case .rows: (kept, 1)
      case .columns, .units: (1, kept)
      case .rowsColumns: (kept.squareRoot(), kept.squareRoot())
      case .element, .nm: (1, 1)
      }
    (outputs, inputs) = (rows * rowShare, columns * columnShare)
    (lostOutputs, lostInputs) = (rows - outputs, columns - inputs)
  }

  /// `G X A`.
  var products: Double { 2 * outputs * inputs * (outputs + inputs) }

  /// The Cholesky factors of `A` and `G`, or their inverses.
  var factorisations: Double {
    (outputs * outputs * outputs + inputs * inputs * inputs) / 3
  }

  /// The direct repair: for each side that lost something a product, and two triangles to solve for
  /// what the side lost or for the other side, whichever is less.
  var optimum: Double {
    let (rows, columns) = (outputs, inputs + lostInputs)
    let byRows = min(lostOutputs, columns) * rows + lostOutputs * columns
    let byColumns = min(lostInputs, rows) * inputs + lostInputs * rows
    return 2 * (rows * byRows + inputs * byColumns)
  }
}
