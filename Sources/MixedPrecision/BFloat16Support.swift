#if OneDNN
  internal import COneDNN
#endif

/// How products of bfloat16 numbers are computed by this program on this processor.
package enum BFloat16Support: Sendable, Equatable {
  /// By the processor's own instructions.
  case native
  /// By oneDNN with instructions for single precision, which takes longer than products in single
  /// precision.
  case emulated
  /// By ``multiply(_:_:isTransposed:keeping:adding:into:)`` alone, in single precision: oneDNN knows
  /// nothing for this processor.
  case processorLacks
  /// The same, because the program was built without oneDNN.
  case notBuilt

  /// What this program can do here.
  package static let current: BFloat16Support = {
    #if OneDNN
      switch surgeon_bfloat16_support() {
      case surgeon_bfloat16_native: .native
      case surgeon_bfloat16_emulated: .emulated
      default: .processorLacks
      }
    #else
      .notBuilt
    #endif
  }()
}
