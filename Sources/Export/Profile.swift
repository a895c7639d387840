/// The shapes that a pruned model's tensors are written in.
public enum Profile: String, CaseIterable, Sendable {
  /// All blocks with the same, smaller sizes: an ordinary checkpoint for any software.
  case uniform
  /// Each block with its own sizes: smallest, but transformers needs the class that comes with it.
  case perLayer = "per-layer"
  /// The source's shapes with zeros in the place of what was removed.
  case masked
  /// Zeros left out of each matrix, and a mask in their place: smallest for single weights, but only
  /// this program (and old versions of compressed-tensors) reads it.
  case packed
}
