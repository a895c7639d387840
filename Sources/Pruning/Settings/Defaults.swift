import Curvature
import RealModule

/// The numbers that settings have unless they are given: the one place to tune them.
///
/// They come from measurements on two small models, at 50 to 80 % removed, which
/// `docs/results.md` shows. Strong damping of `G` and weak damping of `A` was best throughout:
/// gradients are far noisier than activations.
struct Defaults {
  let damping: Damping
  /// More steps than this gained less than one percent in perplexity; a calibration after each of
  /// several shots does part of what the steps do.
  let steps: Int
  /// Exchanges pay after every calibration; more than four gained nothing.
  let exchanges: Int
  let allocation: Allocation
  let ramp = Ramp.linear
  let order = Order.costPerParameter
  /// The next step moves the weights again: a rough repair is enough to price the removals.
  let stepRepair = ConjugateGradientLimits(iterations: 20, tolerance: 1e-3)
  let finalRepair = ConjugateGradientLimits(iterations: 50, tolerance: 1e-4)

  /// Where nothing is solved for, nothing is damped.
  private static let noDamping = Damping(activations: 0, gradients: 0)
  /// What the authors of SparseGPT and ALPS published; there is no `G`.
  private static let layerLocalDamping = Damping(activations: 0.01, gradients: 0)

  /// The numbers for a structure.
  ///
  /// - Parameters:
  ///   - structure: What is removed together.
  ///   - method: Without a repair there is nothing that steps could bring up to date.
  ///   - shots: The number of calibrations in all.
  init(for structure: Structure, method: Method, shots: Int) {
    let isOnce = shots == 1
    // The same widths in all blocks are what other software loads without further ado; errors of one
    // layer's output say nothing about another's.
    allocation = structure.isUnits || method.isLayerLocal ? .uniform : .global
    exchanges = structure.isExchangeable && method.repairs ? 4 : 0
    guard !method.isLayerLocal else {
      damping = method == .wanda ? Self.noDamping : Self.layerLocalDamping
      steps = 1
      return
    }
    guard method.repairs else {
      (damping, steps) = (Self.noDamping, 1)
      return
    }
    switch structure {
    case .rowsColumns, .rows, .columns:
      damping = Damping(activations: 0.01, gradients: 1)
      steps = isOnce ? 10 : 4
    case .element:
      damping = Damping(activations: 0.03, gradients: 0.3)
      steps = isOnce ? 5 : 2
    case .nm:
      damping = Damping(activations: 0.03, gradients: 0.3)
      steps = 1
    case .units:
      damping = Damping(activations: 0.01, gradients: 1)
      // After each removal, but for very wide parts.
      steps = 1000
    }
  }
}

/// `base` to the power `exponent`, for a base above zero.
func power(_ base: Double, _ exponent: Double) -> Double { .pow(base, exponent) }
