extension TensorSource {
  package func withBytes<Result>(
    _ name: TensorName,
    _ body: (RawSpan) throws -> Result
  ) throws -> Result {
    try unsafe bytes(name).withUnsafeBytes { buffer in
      // SAFETY: the span does not escape the call during which the buffer lives.
      try unsafe body(RawSpan(_unsafeBytes: buffer))
    }
  }

  package func floats(_ name: TensorName) throws -> [Float] {
    let description = try existing(name)
    return try description.floats(from: try bytes(name), name: name)
  }

  package func integers(_ name: TensorName) throws -> [Int] {
    let description = try existing(name)
    return try description.integers(from: try bytes(name), name: name)
  }

  /// What is known of a tensor that must be there.
  ///
  /// - Parameter name: The tensor's name.
  /// - Returns: Its description.
  /// - Throws: ``TensorError/missing(_:)``.
  package func existing(_ name: TensorName) throws(TensorError) -> TensorDescription {
    guard let description = description(of: name) else { throw .missing(name) }
    return description
  }
}
