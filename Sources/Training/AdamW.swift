import LinearAlgebra
import RealModule

/// The optimizer AdamW (Loshchilov and Hutter, 2019): Adam with a decay that does not pass through
/// the moments.
///
/// With the gradient `g` of step `t`, counted from 1: `m ← β₁ m + (1 − β₁) g`,
/// `v ← β₂ v + (1 − β₂) g²`, `θ ← θ − η (m̂ / (√v̂ + ε) + λ θ)`, where `m̂ = m / (1 − β₁ᵗ)` and
/// `v̂ = v / (1 − β₂ᵗ)`.
package struct AdamW: Equatable, Sendable {
  /// `β₁`, how much of the mean of gradients stays; from 0, below 1.
  package var meanDecay = 0.9
  /// `β₂`, how much of the mean of squares stays; from 0, below 1.
  package var squareDecay = 0.999
  /// `ε`, above 0.
  package var epsilon = 1e-8
  /// `λ`, the decay of values in units of the learning rate; not negative.
  package var weightDecay = 0.0
  /// The largest norm of the gradient of all values together, which is scaled down to it; nil for
  /// none.
  package var largestNorm: Double?

  /// The usual settings, without decay and without a bound on the gradient.
  package init() {}

  /// Refuses settings that cannot be.
  ///
  /// - Throws: ``TrainingError/badSetting(name:found:expected:)``.
  package func check() throws(TrainingError) {
    guard weightDecay >= 0, weightDecay.isFinite else {
      throw .badSetting(name: "weight decay", found: "\(weightDecay)", expected: "0 or more")
    }
    for (name, decay) in [("mean", meanDecay), ("square", squareDecay)] where !(0..<1 ~= decay) {
      throw .badSetting(
        name: "decay of the \(name)",
        found: "\(decay)",
        expected: "from 0, below 1"
      )
    }
    if let largestNorm, !(largestNorm > 0 && largestNorm.isFinite) {
      throw .badSetting(name: "largest gradient norm", found: "\(largestNorm)", expected: "above 0")
    }
  }

  /// Makes one step.
  ///
  /// - Parameters:
  ///   - parameters: What is trained.
  ///   - gradients: The gradients of its values.
  ///   - step: The number of the step, from 1.
  ///   - rate: `η`.
  ///   - scale: What the gradients are multiplied by first, such as one over the number of tokens.
  /// - Returns: The norm of the scaled gradient before it was bounded.
  /// - Throws: ``TrainingError`` if a gradient or a value is not finite.
  @discardableResult
  package func update(
    _ parameters: inout [Parameter],
    _ gradients: Gradients,
    step: Int,
    rate: Double,
    scale: Double = 1
  ) throws(TrainingError) -> Double {
    precondition(step >= 1, "steps are counted from 1")
    precondition(gradients.values.count == parameters.count, "a gradient for each parameter")
    let energies = gradients.energies
    if let index = energies.firstIndex(where: { !$0.isFinite }) {
      throw .gradientNotFinite(parameter: parameters[index].name, step: step)
    }
    let norm = energies.reduce(0, +).squareRoot() * scale
    var bounded = scale
    if let largestNorm, norm > largestNorm { bounded *= largestNorm / norm }
    let factors = Factors(self, step: step, rate: rate, scale: bounded)
    concurrentUpdates(of: &parameters, count: parameters.count) { index, parameter in
      factors.update(&parameter, gradients.values[index])
    }
    for parameter in parameters where parameter.values.contains(where: { !$0.isFinite }) {
      throw .valueNotFinite(parameter: parameter.name, step: step)
    }
    return norm
  }
}

/// The numbers of one step that all values share.
private struct Factors: Sendable {
  let (keepsMean, keepsSquare): (Float, Float)
  let (rate, scale, decay, epsilon): (Float, Float, Float, Float)
  /// `1 / (1 − β₁ᵗ)` and `1 / (1 − β₂ᵗ)`.
  let (meanScale, squareScale): (Float, Float)

  init(_ settings: AdamW, step: Int, rate: Double, scale: Double) {
    func correction(_ decay: Double) -> Float {
      Float(1 / (1 - Double.pow(decay, step)))
    }
    (keepsMean, keepsSquare) = (Float(settings.meanDecay), Float(settings.squareDecay))
    (self.rate, self.scale) = (Float(rate), Float(scale))
    decay = Float(rate * settings.weightDecay)
    epsilon = Float(settings.epsilon)
    (meanScale, squareScale) = (correction(settings.meanDecay), correction(settings.squareDecay))
  }

  /// Moves one parameter's values.
  func update(_ parameter: inout Parameter, _ gradients: [Float]) {
    let shrink = parameter.decays ? 1 - decay : 1
    update(&parameter.values, &parameter.mean, &parameter.square, gradients, shrink: shrink)
  }

  private func update(
    _ values: inout [Float],
    _ means: inout [Float],
    _ squares: inout [Float],
    _ gradients: [Float],
    shrink: Float
  ) {
    let count = gradients.count
    precondition(
      values.count == count && means.count == count && squares.count == count,
      "one number for each value"
    )
    let gradient = gradients.span
    // Buffers rather than spans: of several mutable spans over one value's arrays, optimised Swift
    // 6.3.1 makes only the first array unique, and would write into copies of the others.
    unsafe values.withUnsafeMutableBufferPointer { value in
      unsafe means.withUnsafeMutableBufferPointer { mean in
        unsafe squares.withUnsafeMutableBufferPointer { square in
          // SAFETY: the precondition covers every index.
          for index in 0..<count {
            let slope = unsafe gradient[unchecked: index] * scale
            let first = unsafe mean[index] * keepsMean + slope * (1 - keepsMean)
            let second = unsafe square[index] * keepsSquare + slope * slope * (1 - keepsSquare)
            unsafe mean[index] = first
            unsafe square[index] = second
            let direction = first * meanScale / ((second * squareScale).squareRoot() + epsilon)
            unsafe value[index] = value[index] * shrink - rate * direction
          }
        }
      }
    }
  }
}
