/// Values that are trained, and what the optimizer remembers of them.
package struct Parameter: Equatable, Sendable {
  /// What they are, for messages and saved states; unique within a run.
  package let name: String
  /// Whether weight decay pulls them to zero; never biases and norms.
  package let decays: Bool
  /// The values.
  package var values: [Float]
  /// AdamW's running mean of gradients.
  package var mean: [Float]
  /// AdamW's running mean of squared gradients.
  package var square: [Float]

  /// Values that were never trained.
  ///
  /// - Parameters:
  ///   - name: What they are.
  ///   - values: Where training starts.
  ///   - decays: Whether weight decay pulls them to zero.
  package init(_ name: String, _ values: [Float], decays: Bool) {
    self.name = name
    self.decays = decays
    self.values = values
    mean = [Float](repeating: 0, count: values.count)
    square = [Float](repeating: 0, count: values.count)
  }
}

/// The gradients of some parameters, added up over the batches of a step.
package struct Gradients: Equatable, Sendable {
  /// One number for each value, parameter by parameter.
  package private(set) var values: [[Float]]

  /// Zero.
  package init(of parameters: [Parameter]) {
    values = parameters.map { [Float](repeating: 0, count: $0.values.count) }
  }

  /// Adds to the gradient of one parameter.
  ///
  /// - Parameters:
  ///   - gradient: One number for each value.
  ///   - index: The parameter's place.
  package mutating func add(_ gradient: [Float], to index: Int) {
    let other = gradient.span
    precondition(other.count == values[index].count, "one number for each value")
    var sum = values[index].mutableSpan
    // SAFETY: the precondition covers every index.
    for place in 0..<other.count { unsafe sum[unchecked: place] += other[unchecked: place] }
  }

  /// The sums of squares, parameter by parameter.
  var energies: [Double] {
    values.map { gradient in
      var total = 0.0
      for number in gradient { total += Double(number) * Double(number) }
      return total
    }
  }
}
