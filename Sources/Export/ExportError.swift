package import Tensors

/// Why a model cannot be written in a profile.
package enum ExportError: Error, Equatable {
  /// No class of transformers has such sizes for the family.
  case familyCannot(Profile, family: String, possible: [Profile])
  /// The blocks of the source differ already.
  case blocksDiffer(Profile)
  /// A setting that has no meaning for the profile.
  case legacyConfigurationUnused(Profile)
  /// A matrix that cannot be packed in any layout.
  case notPackable(TensorName, shape: [Int])
}

extension ExportError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .familyCannot(let profile, let family, let possible):
      "models of the family \(family) cannot be written in the profile \(profile.rawValue); "
        + "possible: \(possible.map(\.rawValue).joined(separator: ", "))"
    case .blocksDiffer(let profile):
      "the blocks of this model have different sizes, which the profile \(profile.rawValue) cannot "
        + "express; choose per-layer, or export the model that it was made from"
    case .legacyConfigurationUnused(let profile):
      "the entry of old compressed-tensors in config.json belongs to the profile packed, "
        + "not \(profile.rawValue)"
    case .notPackable(let name, let shape):
      "the tensor \(name) of shape \(shape) cannot be packed; choose the profile masked"
    }
  }
}
