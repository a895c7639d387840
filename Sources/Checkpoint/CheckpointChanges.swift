package import ExactJSON
package import Safetensors
package import Tensors

/// How a checkpoint that is written differs from the one it comes from; nothing, unless said.
package struct CheckpointChanges {
  /// What changes in `config.json`.
  package var configuration = ConfigurationPatch()
  /// Tensors that are left out, by their names in the source.
  package var removed: Set<TensorName> = []
  /// Tensors that get another name, by their names in the source.
  package var renamed: [TensorName: TensorName] = [:]
  /// Tensors that get another shape, by their names in the source; each must be replaced.
  package var shapes: [TensorName: [Int]] = [:]
  /// Tensors in whose place others are written, by their names in the source.
  package var substitutes: [TensorName: [SafetensorsWriter.Tensor]] = [:]
  /// Files that are added, by name; they take precedence over files copied from the source.
  package var extraFiles: [String: [UInt8]] = [:]
  /// The new elements of a tensor, row by row, or nil to keep it as it is.
  ///
  /// Called once for each tensor that is written, with its name in the source, in the order of
  /// writing. The element type stays.
  package var replacement: (TensorName) throws -> [Float]? = { _ in nil }

  /// No changes.
  package init() {}
}

/// Changes to the members of a configuration; all others keep their place and their spelling.
package struct ConfigurationPatch: Equatable, Sendable {
  /// Members that get a value, in order; new ones go last.
  package var assigned: [Member] = []
  /// Members that are removed.
  package var removed: [JSONText] = []

  /// A member of a configuration.
  package struct Member: Equatable, Sendable {
    /// Its key.
    package let key: JSONText
    /// Its value.
    package let value: JSONValue

    /// A member.
    package init(_ key: JSONText, _ value: JSONValue) {
      self.key = key
      self.value = value
    }
  }

  /// No changes.
  package init() {}

  /// Whether nothing changes.
  package var isEmpty: Bool { assigned.isEmpty && removed.isEmpty }

  /// Makes further changes; of two for one key, the later counts.
  ///
  /// - Parameter other: The further changes, none of which removes what these assign.
  package mutating func append(_ other: ConfigurationPatch) {
    assigned += other.assigned
    removed += other.removed
  }

  /// Applies the changes.
  ///
  /// - Parameter configuration: The configuration, an object.
  /// - Returns: The changed configuration.
  package func applied(to configuration: JSONValue) -> JSONValue {
    guard var object = configuration.object else { return configuration }
    for key in removed { object[key] = nil }
    for member in assigned { object[member.key] = member.value }
    return .object(object)
  }
}
