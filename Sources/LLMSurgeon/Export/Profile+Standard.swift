public import Export
public import Pruning

extension Profile {
  /// The profile in which a pruning is written unless another is asked for.
  ///
  /// - Parameters:
  ///   - structure: What is removed.
  ///   - allocation: How the target is shared; nil for the structure's default.
  /// - Returns: The profile that most software reads with the most gain.
  public static func standard(for structure: Structure, _ allocation: Allocation?) -> Profile {
    switch structure {
    // Single weights, rows and columns leave every tensor its shape.
    case .element, .nm, .rowsColumns, .rows, .columns: .masked
    // Widths that differ from block to block fit no ordinary configuration.
    case .units: allocation == .global ? .perLayer : .uniform
    }
  }
}
