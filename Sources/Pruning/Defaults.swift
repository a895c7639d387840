import Curvature
import RealModule

/// The numbers that settings have unless they are given: the one place to tune them.
///
/// Chosen by perplexity on two small models with one calibration, at 50 % and 70 % (rows and
/// columns), 80 % (elements) and 2:4.
struct Defaults {
  /// Gradients are known much less well than activations: they want the stronger damping.
  let damping: Damping
  /// More steps gained less than one percent in perplexity.
  let steps: Int
  let exchanges: Int
  let allocation = Allocation.global
  let ramp = Ramp.linear
  let order = Order.costPerParameter
  /// The next step moves the weights again: a rough repair is enough to price the removals.
  let stepRepair = ConjugateGradientLimits(iterations: 20, tolerance: 1e-3)
  let finalRepair = ConjugateGradientLimits(iterations: 50, tolerance: 1e-4)

  init(for structure: Structure) {
    switch structure {
    case .rowsColumns, .rows, .columns:
      damping = Damping(activations: 0.01, gradients: 1)
      steps = 10
      exchanges = 0
    case .element:
      damping = Damping(activations: 0.1, gradients: 1)
      steps = 5
      exchanges = 2
    case .nm:
      damping = Damping(activations: 0.1, gradients: 0.3)
      steps = 4
      exchanges = 0
    }
  }
}

/// `base` to the power `exponent`, for a base above zero.
func power(_ base: Double, _ exponent: Double) -> Double { .pow(base, exponent) }
