import MixedPrecision
import Transformer

/// In what a calibration computes the products with weights, forward and back.
public enum ComputePrecision: String, Sendable, CaseIterable {
  /// Single precision.
  case float32 = "f32"
  /// Both factors are rounded to bfloat16, eight significant bits; sums are in single precision.
  /// Attention and the factors of the curvature are in single precision all the same.
  case bfloat16 = "bf16"

  /// Refuses what cannot be computed here.
  ///
  /// - Throws: ``JobError/badSetting(_:)`` saying what is missing.
  func check() throws(JobError) {
    guard self == .bfloat16 else { return }
    switch BFloat16Support.current {
    case .native, .emulated: return
    case .notBuilt:
      throw .badSetting(
        "this program was built without oneDNN, which computes products of bfloat16: build it with "
          + "'swift build -c release --traits OneDNN', or leave out --compute bf16"
      )
    case .processorLacks:
      throw .badSetting(
        "oneDNN computes products of bfloat16 on processors with AVX-512, and this one has none: "
          + "leave out --compute bf16"
      )
    }
  }

  /// What a person should know before it begins; nil if nothing.
  var note: String? {
    guard self == .bfloat16, BFloat16Support.current == .emulated else { return nil }
    return "this processor has no instructions for bfloat16 (AVX512-BF16 or AMX): they are "
      + "emulated, which takes longer than single precision"
  }

  /// The same for the model.
  var products: ProductPrecision { self == .bfloat16 ? .bfloat16 : .float32 }
}
