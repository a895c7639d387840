/// Scatters the bits of a number: one step of the generator SplitMix64 and its finaliser (Steele, Lea
/// and Flood, 2014).
///
/// - Parameter value: The state before the step.
/// - Returns: A number that looks random; no two values give the same.
package func scatteredBits(of value: UInt64) -> UInt64 {
  var bits = value &+ splitMixStep
  bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
  bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
  return bits ^ (bits >> 31)
}

/// What SplitMix64 adds to its state in each step.
package let splitMixStep: UInt64 = 0x9E37_79B9_7F4A_7C15
