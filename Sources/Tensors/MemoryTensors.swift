/// Tensors held in memory.
package struct MemoryTensors: TensorSource {
  private struct Entry {
    let description: TensorDescription
    let bytes: [UInt8]
  }

  private var entries: [TensorName: Entry] = [:]

  /// A source without tensors.
  package init() {}

  package var names: [TensorName] { entries.keys.sorted() }

  package func description(of name: TensorName) -> TensorDescription? {
    entries[name]?.description
  }

  package func bytes(_ name: TensorName) throws -> [UInt8] {
    guard let entry = entries[name] else { throw TensorError.missing(name) }
    return entry.bytes
  }

  /// Adds or replaces a tensor, given as floating-point numbers.
  ///
  /// - Parameters:
  ///   - name: The tensor's name.
  ///   - description: Its shape and how to store it.
  ///   - values: The elements, row by row.
  /// - Throws: ``TensorError`` if the values cannot be stored that way.
  package mutating func set(
    _ name: TensorName,
    _ description: TensorDescription,
    floats values: [Float]
  ) throws(TensorError) {
    entries[name] = Entry(
      description: description,
      bytes: try description.bytes(of: values, name: name)
    )
  }

  /// Adds or replaces a tensor, given as stored bytes.
  ///
  /// - Parameters:
  ///   - name: The tensor's name.
  ///   - description: Its shape and how it is stored.
  ///   - bytes: The elements, little-endian, row by row.
  /// - Throws: ``TensorError/wrongCount(_:expected:found:)``.
  package mutating func set(
    _ name: TensorName,
    _ description: TensorDescription,
    bytes: [UInt8]
  ) throws(TensorError) {
    guard bytes.count == description.byteCount else {
      throw .wrongCount(name, expected: description.byteCount, found: bytes.count)
    }
    entries[name] = Entry(description: description, bytes: bytes)
  }
}
