import Tensors
import TestKit
import Testing

@Suite("Half precision")
struct HalfPrecisionTests {
  /// Numbers on, beside and between all neighbours of a 16-bit format, and random ones.
  static func samples(_ widen: (UInt16) -> Float) -> [Float] {
    var samples: [Float] = []
    for bits in UInt16.min...UInt16.max {
      let value = widen(bits)
      samples += [value, value.nextUp, value.nextDown]
      guard bits & 0x7FFF != 0x7FFF else { continue }
      // Exact in double precision, and in single precision since it needs one bit more.
      let middle = Float((Double(value) + Double(widen(bits + 1))) / 2)
      samples += [middle, middle.nextUp, middle.nextDown]
    }
    var random = SplitMix64(seed: 1)
    for _ in 0..<1_000_000 {
      samples.append(Float(bitPattern: UInt32.random(in: 0...(.max), using: &random)))
    }
    return samples
  }

  @Test("widening a half gives what the language's own type gives, for all patterns")
  func widenHalf() {
    for bits in UInt16.min...UInt16.max {
      let (found, expected) = (HalfPrecision.float(half: bits), Float(Float16(bitPattern: bits)))
      #expect(found.isNaN == expected.isNaN)
      if !expected.isNaN { #expect(found.bitPattern == expected.bitPattern, "\(bits)") }
    }
  }

  @Test("rounding to half gives what the language's own type gives")
  func roundHalf() {
    var wrong: [Float] = []
    for value in Self.samples({ Float(Float16(bitPattern: $0)) }) {
      let found = HalfPrecision.half(value)
      let expected = Float16(value)
      let isRight =
        expected.isNaN ? Float16(bitPattern: found).isNaN : found == expected.bitPattern
      if !isRight { wrong.append(value) }
    }
    #expect(wrong.isEmpty)
  }

  /// The nearest bfloat16 by comparing exact distances; ties go to the even pattern.
  static func nearestBFloat16(_ value: Float) -> UInt16 {
    let low = UInt16(value.bitPattern >> 16)  // Towards zero.
    guard value.isFinite else { return low }
    // The distance to an overflowing neighbour is that to the number which would come next.
    func widened(_ bits: UInt16) -> Double {
      let number = Float(bitPattern: UInt32(bits) << 16)
      return number.isFinite ? Double(number) : (number < 0 ? -0x1p128 : 0x1p128)
    }
    let (below, above) = (
      abs(Double(value) - widened(low)), abs(widened(low + 1) - Double(value))
    )
    return below < above || (below == above && low.isMultiple(of: 2)) ? low : low + 1
  }

  @Test("rounding to bfloat16 gives the nearest number, the even one of two")
  func roundBFloat16() {
    var wrong: [Float] = []
    for value in Self.samples({ Float(bitPattern: UInt32($0) << 16) }) {
      let found = HalfPrecision.bfloat16(value)
      let isRight =
        value.isNaN
        ? HalfPrecision.float(bfloat16: found).isNaN : found == Self.nearestBFloat16(value)
      if !isRight { wrong.append(value) }
    }
    #expect(wrong.isEmpty)
  }

  @Test("what fits survives both ways", arguments: [Float(0), 1, -2.5, 0.15625, .infinity])
  func roundTrip(value: Float) {
    #expect(HalfPrecision.float(half: HalfPrecision.half(value)) == value)
    #expect(HalfPrecision.float(bfloat16: HalfPrecision.bfloat16(value)) == value)
  }
}
