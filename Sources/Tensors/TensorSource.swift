/// The exact bytes of a tensor's name, compared byte by byte.
///
/// `String` would treat canonically equal names as one.
package struct TensorName: Hashable, Comparable, Sendable, ExpressibleByStringLiteral,
  CustomStringConvertible
{
  /// The UTF-8 bytes.
  package let utf8: [UInt8]

  /// Takes UTF-8 bytes as they are.
  package init(utf8: [UInt8]) { self.utf8 = utf8 }
  /// The name spelled by a string.
  package init(_ text: String) { utf8 = Array(text.utf8) }
  /// The name spelled by a literal.
  package init(stringLiteral text: String) { self.init(text) }

  package var description: String { String(decoding: utf8, as: UTF8.self) }

  /// Orders by bytes.
  package static func < (left: TensorName, right: TensorName) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
  }
}

/// What is known of a tensor without reading its numbers.
package struct TensorDescription: Equatable, Sendable {
  /// How its numbers are stored.
  package let elementType: ElementType
  /// Its extents, outermost first; empty for a single number.
  package let shape: [Int]

  /// The number of elements; the product was checked for overflow when the file was opened.
  package var count: Int { shape.reduce(1, *) }

  /// Describes a tensor whose element count fits in `Int`.
  package init(elementType: ElementType, shape: [Int]) {
    self.elementType = elementType
    self.shape = shape
  }
}

/// A set of named tensors that are read one at a time: a file, a sharded checkpoint, or weights in
/// memory that stand in front of one.
package protocol TensorSource: Sendable {
  /// The names, sorted by bytes.
  var names: [TensorName] { get }

  /// What is known of a tensor, or nil if there is none of that name.
  func description(of name: TensorName) -> TensorDescription?

  /// Reads a tensor of floating-point numbers, widened to single precision.
  ///
  /// - Parameter name: The tensor's name.
  /// - Returns: The elements, row by row.
  /// - Throws: If there is no such tensor, its elements are no floating-point numbers, or the file
  ///   cannot be read. NaN is returned as it stands: who uses the numbers checks them.
  func floats(_ name: TensorName) throws -> [Float]

  /// Reads a tensor of integers (any integer width).
  ///
  /// - Parameter name: The tensor's name.
  /// - Returns: The elements, row by row.
  /// - Throws: If there is no such tensor, its elements are no integers or do not fit, or the file
  ///   cannot be read.
  func integers(_ name: TensorName) throws -> [Int]

  /// The tensor's stored bytes, little-endian, row by row.
  ///
  /// - Parameter name: The tensor's name.
  /// - Returns: The bytes, made contiguous where the file stores them strided.
  /// - Throws: If there is no such tensor or the file cannot be read.
  func bytes(_ name: TensorName) throws -> [UInt8]

  /// Lends a tensor's stored bytes, without a copy where the source can.
  ///
  /// - Parameters:
  ///   - name: The tensor's name.
  ///   - body: Receives the bytes, little-endian, row by row.
  /// - Returns: What `body` returns.
  /// - Throws: If there is no such tensor, the file cannot be read, or `body` throws.
  func withBytes<Result>(
    _ name: TensorName,
    _ body: (RawSpan) throws -> Result
  ) throws -> Result
}
