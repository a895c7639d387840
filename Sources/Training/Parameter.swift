package import LinearAlgebra

/// Values that are trained, and what the optimizer remembers of them.
package struct Parameter: Equatable, Sendable {
  /// What they are, for messages and saved states; unique within a run.
  package private(set) var name: String
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

  /// The same values, and what the optimizer remembers of them, under another name.
  package func renamed(_ name: String) -> Parameter {
    var parameter = self
    parameter.name = name
    return parameter
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

  /// Adds `Σ y xᵀ` over rows to the gradient of a matrix.
  ///
  /// - Parameters:
  ///   - slopes: The rows `y`, as long as the matrix has rows.
  ///   - inputs: The rows `x`, as long as it has columns.
  ///   - index: The parameter's place.
  package mutating func addProduct(
    _ slopes: Matrix<Float>,
    _ inputs: Matrix<Float>,
    to index: Int
  ) {
    precondition(
      values[index].count == slopes.columns * inputs.columns,
      "one number for each value"
    )
    // Taken out, so that it has one owner and is added to in place.
    var sum = Matrix<Float>(rows: 0, columns: 0)
    swap(&sum.storage, &values[index])
    sum = Matrix(rows: slopes.columns, columns: inputs.columns, storage: sum.storage)
    multiplyTiled(slopes.transposedView, inputs.view, keeping: 1, into: &sum)
    values[index] = sum.storage
  }

  /// Adds rows to the gradients of some rows of a table.
  ///
  /// - Parameters:
  ///   - rows: What is added, as wide as the table.
  ///   - places: The table's row for each of them.
  ///   - index: The parameter's place.
  package mutating func addRows(_ rows: Matrix<Float>, at places: [Int], to index: Int) {
    let (width, count) = (rows.columns, values[index].count)
    precondition(rows.rows == places.count, "a place for each row")
    precondition(places.allSatisfy { $0 >= 0 && ($0 + 1) * width <= count }, "rows of the table")
    let added = rows.elements
    var sum = values[index].mutableSpan
    for (row, place) in places.enumerated() {
      for column in 0..<width { sum[place * width + column] += added[row * width + column] }
    }
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
