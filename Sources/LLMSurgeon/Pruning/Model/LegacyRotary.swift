import Checkpoint
import ExactJSON

extension ConfigurationPatch {
  /// Says in the spelling of transformers 4 what only that of transformers 5 says of rotary
  /// positions.
  ///
  /// Version 4 does not read `rope_parameters`; it would take its own defaults without a word and
  /// compute something else. Version 5 reads both spellings.
  ///
  /// - Parameter configuration: The model's `config.json`.
  /// - Returns: The members to add; none where nothing is missing or version 4's defaults are right.
  static func legacyRotary(_ configuration: JSONValue) -> ConfigurationPatch {
    var patch = ConfigurationPatch()
    guard let parameters = configuration["rope_parameters"]?.object else { return patch }
    if let base = parameters["rope_theta"], configuration["rope_theta"] == nil,
      base.double != defaultBase
    {
      patch.assigned.append(Member("rope_theta", base))
    }
    if let kind = parameters["rope_type"]?.string, kind != "default",
      configuration["rope_scaling"] == nil
    {
      var scaling = parameters
      scaling["rope_theta"] = nil
      patch.assigned.append(Member("rope_scaling", .object(scaling)))
    }
    return patch
  }

  /// The base that version 4 takes where none is given.
  private static let defaultBase = 10_000.0
}
