import RealModule

/// How the learning rate goes on after it has risen.
public enum RateShape: String, CaseIterable, Sendable {
  /// It stays.
  case constant
  /// It falls in a straight line.
  case linear
  /// It falls along half a wave of the cosine.
  case cosine
}

/// How the learning rate changes over the steps: it rises in proportion to the step, then falls.
package struct LearningRate: Equatable, Sendable {
  /// The highest rate.
  package let peak: Double
  /// What follows the rise.
  package let shape: RateShape
  /// The steps of the rise.
  package let warmUpSteps: Int
  /// The steps in all.
  package let steps: Int
  /// The share of the peak that the fall leads to, just behind the last step.
  package let floor: Double

  /// A course of the learning rate.
  ///
  /// - Parameters:
  ///   - peak: The highest rate, above 0.
  ///   - shape: What follows the rise.
  ///   - warmUp: The share of the steps that rise, from 0, below 1.
  ///   - steps: The steps in all, at least 1.
  ///   - floor: The share of the peak at the end, 0 to 1.
  /// - Throws: ``TrainingError/badSetting(name:found:expected:)``.
  package init(
    peak: Double,
    shape: RateShape,
    warmUp: Double,
    steps: Int,
    floor: Double = 0
  ) throws(TrainingError) {
    guard peak > 0, peak.isFinite else {
      throw .badSetting(name: "learning rate", found: "\(peak)", expected: "above 0")
    }
    guard warmUp >= 0, warmUp < 1 else {
      throw .badSetting(name: "warm-up", found: "\(warmUp)", expected: "from 0, below 1")
    }
    guard steps >= 1 else {
      throw .badSetting(name: "number of steps", found: "\(steps)", expected: "at least 1")
    }
    guard 0...1 ~= floor else {
      throw .badSetting(name: "last share of the rate", found: "\(floor)", expected: "0 to 1")
    }
    self.peak = peak
    self.shape = shape
    self.steps = steps
    self.floor = floor
    warmUpSteps = Int((warmUp * Double(steps)).rounded(.down))
  }

  /// The rate of a step; never zero, so that no step is wasted.
  ///
  /// - Parameter step: The number of the step, from 1 to ``steps``.
  /// - Returns: The rate.
  package func rate(step: Int) -> Double {
    precondition(1...steps ~= step, "a step of this course")
    guard step > warmUpSteps else { return peak * Double(step) / Double(warmUpSteps + 1) }
    let left = Double(steps - step + 1) / Double(steps - warmUpSteps)
    let height: Double
    switch shape {
    case .constant: height = 1
    case .linear: height = left
    case .cosine: height = (1 - Double.cos(.pi * left)) / 2
    }
    return peak * (floor + (1 - floor) * height)
  }
}
