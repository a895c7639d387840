public import Export
public import Pruning

extension Profile {
  /// The profile in which a pruning is written unless another is asked for.
  ///
  /// - Parameter structure: What is removed.
  /// - Returns: The profile that most software reads with the most gain.
  public static func standard(for structure: Structure) -> Profile {
    switch structure {
    // Single weights, rows and columns leave every tensor its shape.
    case .element, .nm, .rowsColumns, .rows, .columns: .masked
    }
  }
}
