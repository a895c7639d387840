/// The weights of a layer that takes those of the following ones in: `θ + Σₖ (θₖ − θ)`.
///
/// The formula of LaCo (Yang et al., arXiv 2402.11187). Its published code overwrites `θ` within the
/// sum, which then telescopes to the weights of the last layer: it deletes layers instead.
///
/// - Parameters:
///   - weights: `θ`.
///   - following: `θ₁`, `θ₂`, …, as many numbers each.
/// - Returns: As many numbers.
package func mergedWeights(_ weights: [Float], following: [[Float]]) -> [Float] {
  precondition(following.allSatisfy { $0.count == weights.count }, "layers of one shape")
  return weights.indices.map { index in
    let own = Double(weights[index])
    return Float(following.reduce(own) { $0 + Double($1[index]) - own })
  }
}
