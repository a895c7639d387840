/// The 16-bit floating-point formats as bit patterns.
///
/// Written without branches, so that loops over it are vectorized; the processor's own conversion
/// is not available everywhere.
package enum HalfPrecision {
  /// The number that a bfloat16 pattern stands for; exact.
  @inline(always)
  package static func float(bfloat16 bits: UInt16) -> Float {
    Float(bitPattern: UInt32(bits) << 16)
  }

  /// The bfloat16 nearest to a number, ties to even; NaN stays NaN, too large becomes infinite.
  @inline(always)
  package static func bfloat16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let rounded = (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16
    let quietNaN = bits >> 16 | 0x40
    return UInt16(truncatingIfNeeded: bits & 0x7FFF_FFFF > 0x7F80_0000 ? quietNaN : rounded)
  }

  /// The number that an IEEE half-precision pattern stands for; exact.
  @inline(always)
  package static func float(half bits: UInt16) -> Float {
    let magnitude = UInt32(bits & 0x7FFF)
    // Moves the exponent to its new place; the factor makes up for the different bias, and turns
    // subnormal numbers into normal ones.
    let scaled = Float(bitPattern: magnitude << 13) * 0x1p112
    let special: UInt32 = magnitude >= 0x7C00 ? 0x7F80_0000 : 0
    return Float(bitPattern: scaled.bitPattern | special | UInt32(bits & 0x8000) << 16)
  }

  /// The IEEE half nearest to a number, ties to even; NaN stays NaN, too large becomes infinite.
  @inline(always)
  package static func half(_ value: Float) -> UInt16 {
    let magnitude = value.bitPattern & 0x7FFF_FFFF
    let sign = value.bitPattern >> 16 & 0x8000
    // Below 2⁻¹⁴ the result is subnormal: adding ½ lets the adder round to multiples of 2⁻²⁴.
    let subnormal = (Float(bitPattern: magnitude) + 0.5).bitPattern &- Float(0.5).bitPattern
    // Elsewhere the bias changes by 112, and the 13 lowest bits are rounded off.
    let normal = (magnitude &- 112 << 23 &+ 0xFFF &+ (magnitude >> 13 & 1)) >> 13
    let special: UInt32 = magnitude > 0x7F80_0000 ? 0x7E00 : 0x7C00
    let finite = magnitude < 0x3880_0000 ? subnormal : normal
    return UInt16(truncatingIfNeeded: sign | (magnitude >= 0x4780_0000 ? special : finite))
  }
}
