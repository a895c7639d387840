import Tensors

/// A model's tensors with newer values in front of some of them.
///
/// What is in front is rounded to the element type of what it covers, so that a model read through
/// the overlay computes what the written checkpoint will.
struct OverlayTensors: TensorSource {
  /// The model as it came.
  let base: any TensorSource
  /// The newer values, single precision, of the same shapes.
  let front: any TensorSource
  /// Whether newer values are rounded to the element type of the model.
  let isRounded: Bool

  var names: [TensorName] { base.names }

  func description(of name: TensorName) -> TensorDescription? { base.description(of: name) }

  func floats(_ name: TensorName) throws -> [Float] {
    guard front.description(of: name) != nil, let description = base.description(of: name) else {
      return try base.floats(name)
    }
    let values = try front.floats(name)
    guard isRounded else { return values }
    var rounded = MemoryTensors()
    try rounded.set(name, description, floats: values)
    return try rounded.floats(name)
  }

  func integers(_ name: TensorName) throws -> [Int] { try base.integers(name) }

  func bytes(_ name: TensorName) throws -> [UInt8] {
    guard let description = base.description(of: name), front.description(of: name) != nil else {
      return try base.bytes(name)
    }
    return try description.bytes(of: try floats(name), name: name)
  }

  func withBytes<Result>(
    _ name: TensorName,
    _ body: (RawSpan) throws -> Result
  ) throws -> Result {
    guard front.description(of: name) != nil else { return try base.withBytes(name, body) }
    let copy = try bytes(name)
    // SAFETY: bytes have no padding.
    return try unsafe body(copy.span.bytes)
  }
}
