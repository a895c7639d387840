/// Why a tensor cannot be read or written as asked.
package enum TensorError: Error, Equatable, CustomStringConvertible {
  /// There is no tensor of that name.
  case missing(TensorName)
  /// Floating-point numbers were asked for, but the tensor holds something else.
  case notFloatingPoint(TensorName, ElementType)
  /// Integers were asked for, but the tensor holds something else.
  case notInteger(TensorName, ElementType)
  /// An integer is larger than this program can hold.
  case integerTooLarge(TensorName, index: Int)
  /// A number to be stored is NaN, infinite, or becomes infinite in the type it is stored as.
  case notFinite(TensorName, index: Int, ElementType)
  /// The number of elements or bytes is not the one that the shape asks for.
  case wrongCount(TensorName, expected: Int, found: Int)

  package var description: String {
    switch self {
    case .missing(let name): "there is no tensor \"\(name)\""
    case .notFloatingPoint(let name, let type):
      "the tensor \"\(name)\" holds \(type.rawValue), not floating-point numbers"
    case .notInteger(let name, let type):
      "the tensor \"\(name)\" holds \(type.rawValue), not integers"
    case .integerTooLarge(let name, let index):
      "the element \(index) of the tensor \"\(name)\" is too large an integer"
    case .notFinite(let name, let index, let type):
      "the element \(index) of the tensor \"\(name)\" is not finite as \(type.rawValue)"
    case .wrongCount(let name, let expected, let found):
      "the tensor \"\(name)\" has \(found) elements or bytes where its shape asks for \(expected)"
    }
  }
}
