import LinearAlgebra

/// Consecutive removals that are chosen one by one.
struct PricedPiece: Sendable {
  /// The cost of a place where nothing is left to remove.
  static let nothing: Float = -1
  /// About how many weights a piece has: enough to be quick, few enough for every thread to hold one.
  static let weights = 1 << 18

  /// The place of the first removal within its layer.
  let first: Int
  /// What each removal costs: not NaN, and not below zero but for ``nothing``.
  let costs: [Float]
  /// The weights that each removes within its block, as bits; nil where each is one weight.
  var sets: [UInt16]?

  /// The number of weights that a removal removes.
  func count(_ place: Int) -> Int { sets?[place].nonzeroBitCount ?? 1 }

  /// Visits the removals below a threshold, and those at it that the quota allows, place by place.
  ///
  /// - Parameters:
  ///   - threshold: Everything cheaper is visited.
  ///   - quota: How many weights may go at exactly that cost; less those that go.
  ///   - body: Receives the place within the piece.
  func forEachChosen(below threshold: Float, quota: inout Int, _ body: (Int) -> Void) {
    for place in costs.indices {
      let cost = costs[place]
      guard cost >= 0 else { continue }
      if cost < threshold {
        body(place)
      } else if cost == threshold, quota > 0 {
        quota -= count(place)
        body(place)
      }
    }
  }
}

/// Removals of several layers, read piece by piece as often as they are needed.
protocol CostSource: Sendable {
  /// Why a piece cannot be read.
  associatedtype Failure: Error
  /// The number of layers.
  var layers: Int { get }
  /// The number of pieces of a layer.
  func pieces(of layer: Int) -> Int
  /// A piece of a layer; called from several threads at once.
  func piece(_ index: Int, of layer: Int) throws(Failure) -> PricedPiece
}

/// Where the cheapest removals end.
struct CostThreshold: Equatable, Sendable {
  /// Everything cheaper is removed.
  let cost: Float
  /// How many weights each layer removes at exactly this cost, first place first.
  let quotas: [Int]
}

/// Finds the threshold that removes the `count` cheapest weights of all layers.
///
/// No list of all costs is made or sorted: costs that are not negative have the order of their bit
/// patterns, whose digits are found from the highest down by counting. Each of the three digits takes
/// one look at every cost, and each thread holds one piece. Ties go by layer and place.
///
/// - Parameters:
///   - count: How many weights to remove, at least 1.
///   - source: The removals.
/// - Returns: The threshold, or nothing if all removals together are fewer than `count`.
/// - Throws: What reading a piece throws.
func threshold<Source: CostSource>(
  removing count: Int,
  of source: Source
) throws(Source.Failure) -> CostThreshold? {
  precondition(count > 0, "something is to be removed")
  var prefix: UInt32 = 0
  var rest = count
  for digit in Digit.all {
    let counts = try digit.histograms(of: source, prefix: prefix)
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

  /// For each layer, how many weights have each value of this digit, among those with the given
  /// higher digits.
  func histograms<Source: CostSource>(
    of source: Source,
    prefix: UInt32
  ) throws(Source.Failure) -> [[Int]] {
    let results = concurrentMap(count: source.layers) { layer in
      Result { () throws(Source.Failure) -> [Int] in
        var counts = [Int](repeating: 0, count: 1 << width)
        for index in 0..<source.pieces(of: layer) {
          add(try source.piece(index, of: layer), prefix: prefix, to: &counts)
        }
        return counts
      }
    }
    var counts: [[Int]] = []
    for result in results { counts.append(try result.get()) }
    return counts
  }

  private func add(_ piece: PricedPiece, prefix: UInt32, to counts: inout [Int]) {
    let fixed = shift + width
    let mask: UInt32 = (1 << width) - 1
    let costs = piece.costs.span
    var counts = counts.mutableSpan
    for place in costs.indices {
      let cost = costs[place]
      precondition(!cost.isNaN, "NaN has no rank")
      guard cost >= 0 else { continue }
      let bits = (cost + 0).bitPattern  // −0 has the pattern of no small number.
      if fixed == 32 || bits >> fixed == prefix >> fixed {
        counts[Int(bits >> shift & mask)] += piece.count(place)
      }
    }
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
