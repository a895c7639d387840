import LinearAlgebra

/// Removals of one layer that can be chosen one by one, each with a cost and a number of weights.
protocol PricedLayer: Sendable {
  /// Visits each removal in the order of its index; costs are not negative and not NaN.
  func forEach(_ body: (_ index: Int, _ cost: Float, _ count: Int) -> Void)
}

/// Where the cheapest removals end.
struct CostThreshold: Equatable, Sendable {
  /// Everything cheaper is removed.
  let cost: Float
  /// How many weights each layer removes at exactly this cost, first index first.
  let quotas: [Int]
}

/// Finds the threshold that removes the `count` cheapest weights of all layers.
///
/// No list of all costs is made or sorted: costs that are not negative have the order of their bit
/// patterns, whose digits are found from the highest down by counting. Ties go by layer and index.
///
/// - Parameters:
///   - count: How many weights to remove, at least 1.
///   - layers: The removals.
/// - Returns: The threshold, or nothing if all removals together are fewer than `count`.
func threshold<Layer: PricedLayer>(removing count: Int, of layers: [Layer]) -> CostThreshold? {
  precondition(count > 0, "something is to be removed")
  var prefix: UInt32 = 0
  var rest = count
  for digit in Digit.all {
    let counts = concurrentMap(count: layers.count) { [prefix] layer in
      digit.histogram(of: layers[layer], prefix: prefix)
    }
    guard let value = digit.pass(&rest, counts) else { return nil }
    prefix |= UInt32(value) << digit.shift
    guard digit.shift == 0 else { continue }
    let quotas = counts.map { histogram in
      let quota = max(0, min(rest, histogram[value]))
      rest -= quota
      return quota
    }
    return CostThreshold(cost: Float(bitPattern: prefix), quotas: quotas)
  }
  return nil
}

/// A few bits of a bit pattern.
private struct Digit: Sendable {
  let shift: UInt32
  let width: UInt32

  static let all = [
    Digit(shift: 21, width: 11), Digit(shift: 10, width: 11), Digit(shift: 0, width: 10),
  ]

  /// How many weights have each value of this digit, among those with the given higher digits.
  func histogram<Layer: PricedLayer>(of layer: Layer, prefix: UInt32) -> [Int] {
    var counts = [Int](repeating: 0, count: 1 << width)
    let fixed = shift + width
    let mask: UInt32 = (1 << width) - 1
    layer.forEach { _, cost, count in
      let bits = (cost + 0).bitPattern  // −0 has the pattern of no small number.
      if fixed == 32 || bits >> fixed == prefix >> fixed {
        counts[Int(bits >> shift & mask)] += count
      }
    }
    return counts
  }

  /// The value that the last removed weight has; subtracts from `rest` what lies below.
  func pass(_ rest: inout Int, _ counts: [[Int]]) -> Int? {
    for value in 0..<1 << Int(width) {
      let total = counts.reduce(0) { $0 + $1[value] }
      if total >= rest && total > 0 { return value }
      rest -= total
    }
    return nil
  }
}

extension PricedLayer {
  /// Visits the removals below the threshold, and those at it that the quota allows.
  func forEachChosen(
    below threshold: Float,
    quota: Int,
    _ body: (_ index: Int, _ cost: Float) -> Void
  ) {
    var left = quota
    forEach { index, cost, count in
      if cost < threshold {
        body(index, cost)
      } else if cost == threshold, left > 0 {
        left -= count
        body(index, cost)
      }
    }
  }
}
