import LinearAlgebra
import RealModule

// Loops over consecutive numbers in a form that compiles to vector instructions: bounds are checked
// once per call, and sums may be taken in any order (fixed when compiled).

/// `exp(x)` for `x ≤ 0`, within 2 units in the last place; 0 below −87, NaN for NaN.
///
/// With `n = round(x / ln 2)` and `r = x − n ln 2`, `exp(x) = 2ⁿ exp(r)`, `|r| ≤ ½ ln 2`; the Taylor
/// polynomial of degree 7 leaves a relative error below 6e-9.
@inline(__always)
func exponential(_ x: Float) -> Float {
  // Adding 1.5 · 2²³ leaves the nearest integer in the low bits.
  let shift: Float = 12_582_912
  let shifted = x * 1.442_695_04 + shift
  let whole = shifted - shift
  // ln 2 in two parts, the first short enough for its product with `whole` to be exact.
  let r = (x - whole * 0.693_359_375) - whole * -2.121_944_4e-4
  // By pairs of terms, which wait less for each other than one term after the other.
  let square = r * r
  let low = r * (1 / 6) + 0.5
  let middle = r * (1 / 120) + 1 / 24
  let high = r * (1 / 5040) + 1 / 720
  let p = ((high * square + middle) * square + low) * square + r
  let power = Float(bitPattern: (shifted.bitPattern &<< 23) &+ 0x3F80_0000)
  let result = (p + 1) * power
  return x < -87 ? 0 : result
}

/// `1 / (1 + exp(−x))`.
@inline(__always)
func sigmoid(_ x: Float) -> Float {
  let e = exponential(-abs(x))
  let numerator = x < 0 ? e : 1
  return numerator / (1 + e)
}

/// Copies as many numbers as there are.
func copy(_ source: Span<Float>, to target: inout MutableSpan<Float>) {
  precondition(source.count == target.count, "one number for each number")
  copy(source, to: &target, at: 0)
}

/// Copies all numbers of one span to those of another from `start` on.
func copy(_ source: Span<Float>, to target: inout MutableSpan<Float>, at start: Int) {
  precondition(start >= 0 && start + source.count <= target.count, "the copy lies within")
  // SAFETY: the precondition covers every index.
  for index in 0..<source.count {
    unsafe target[unchecked: start + index] = source[unchecked: index]
  }
}

/// Adds a vector to `vector.count` numbers of `target`, from `start` on.
func addVector(_ vector: Span<Float>, to target: inout MutableSpan<Float>, from start: Int) {
  precondition(start >= 0 && start + vector.count <= target.count, "the sum lies within the target")
  // SAFETY: the precondition covers every index.
  for index in 0..<vector.count {
    unsafe target[unchecked: start + index] += vector[unchecked: index]
  }
}

/// The greatest of some numbers; NaN is passed over.
func maximum(_ values: borrowing MutableSpan<Float>, _ range: Range<Int>) -> Float {
  precondition(range.lowerBound >= 0 && range.upperBound <= values.count, "the range lies within")
  // Four running maxima hide the latency of the comparison.
  var best = SIMD4<Float>(repeating: -.infinity)
  let whole = range.lowerBound + (range.count & ~3)
  var index = range.lowerBound
  // SAFETY: the precondition covers every index.
  while index < whole {
    let next = unsafe SIMD4(
      values[unchecked: index],
      values[unchecked: index + 1],
      values[unchecked: index + 2],
      values[unchecked: index + 3]
    )
    best = best.replacing(with: next, where: next .> best)
    index += 4
  }
  var result = best.max()
  while index < range.upperBound {
    let value = unsafe values[unchecked: index]
    if value > result { result = value }
    index += 1
  }
  return result
}

/// Replaces each `x` by `exp(x − shift)`; `shift` is no less than any of them.
///
/// - Returns: The sum of the results.
func exponentiate(
  _ values: inout MutableSpan<Float>,
  _ range: Range<Int>,
  minus shift: Float
) -> Double {
  precondition(range.lowerBound >= 0 && range.upperBound <= values.count, "the range lies within")
  var total = 0.0
  var start = range.lowerBound
  // Short sums in single precision, added in double, lose nothing in long rows.
  while start < range.upperBound {
    let end = min(start + 512, range.upperBound)
    var sum: Float = 0
    // SAFETY: the precondition covers every index.
    for index in start..<end {
      let value = unsafe exponential(values[unchecked: index] - shift)
      unsafe values[unchecked: index] = value
      sum = Relaxed.sum(sum, value)
    }
    total += Double(sum)
    start = end
  }
  return total
}

/// Multiplies some numbers by a factor.
func scale(_ values: inout MutableSpan<Float>, _ range: Range<Int>, by factor: Float) {
  precondition(range.lowerBound >= 0 && range.upperBound <= values.count, "the range lies within")
  // SAFETY: the precondition covers every index.
  for index in range { unsafe values[unchecked: index] *= factor }
}

/// The sum of products of two vectors of equal length.
func dot(_ left: Span<Float>, _ right: Span<Float>) -> Float {
  precondition(left.count == right.count, "vectors are of one length")
  var sum: Float = 0
  // SAFETY: the precondition covers every index.
  for index in 0..<left.count {
    sum = unsafe Relaxed.multiplyAdd(left[unchecked: index], right[unchecked: index], sum)
  }
  return sum
}

/// Sets some numbers to zero.
func clear(_ values: inout MutableSpan<Float>, _ range: Range<Int>) {
  precondition(range.lowerBound >= 0 && range.upperBound <= values.count, "the range lies within")
  // SAFETY: the precondition covers every index.
  for index in range { unsafe values[unchecked: index] = 0 }
}

/// Lends some consecutive numbers of a span for writing.
func withPart(
  of values: inout MutableSpan<Float>,
  _ range: Range<Int>,
  _ body: (inout MutableSpan<Float>) -> Void
) {
  precondition(range.lowerBound >= 0 && range.upperBound <= values.count, "the range lies within")
  unsafe values.withUnsafeMutableBufferPointer { buffer in
    // SAFETY: the precondition covers the range, and the part does not outlive the call.
    var part = unsafe MutableSpan(_unsafeElements: buffer.extracting(range))
    body(&part)
  }
}
