import Curvature
import RealModule

/// The numbers that settings have unless they are given: the one place to tune them.
struct Defaults {
  /// Chosen on two small models, one calibration, 50 % (structured) and 80 % (elements) removed.
  let damping: Damping
  /// More steps than this gained less than one percent in perplexity on the same models.
  let steps: Int
  let allocation = Allocation.global
  let ramp = Ramp.linear
  let order = Order.costPerParameter
  /// The next step moves the weights again: a rough repair is enough to price the removals.
  let stepRepair = ConjugateGradientLimits(iterations: 20, tolerance: 1e-3)
  let finalRepair = ConjugateGradientLimits(iterations: 50, tolerance: 1e-4)

  init(for structure: Structure, shots: Int) {
    if structure.isStructured {
      damping = Damping(activations: 0.1, gradients: 0.1)
      steps = 10
    } else {
      damping = Damping(activations: 0.3, gradients: 1)
      steps = 5
    }
  }
}

/// `base` to the power `exponent`, for a base above zero.
func power(_ base: Double, _ exponent: Double) -> Double { .pow(base, exponent) }
