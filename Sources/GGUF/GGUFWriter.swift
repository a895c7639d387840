package import Tensors

/// Writes GGUF files, one tensor at a time.
package enum GGUFWriter {
  /// A tensor to be written; its content is asked for only when its turn comes.
  package struct Tensor {
    /// Its name, up to 63 bytes.
    package let name: TensorName
    /// Its shape, outermost extent first, and how its numbers are stored.
    package let description: TensorDescription
    /// Makes its elements, row by row.
    package let floats: () throws -> [Float]

    /// A tensor given by floating-point numbers; see `TensorDescription.bytes(of:name:)`.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - description: Its shape, outermost extent first, and how its numbers are stored.
    ///   - floats: Makes its elements, row by row.
    package init(
      _ name: TensorName,
      _ description: TensorDescription,
      floats: @escaping () throws -> [Float]
    ) {
      self.name = name
      self.description = description
      self.floats = floats
    }
  }

  /// Writes a file; it appears under its name only when it is complete.
  ///
  /// - Parameters:
  ///   - metadata: The named values, in the order of the file.
  ///   - tensors: The tensors, in the order of the file.
  ///   - path: Where the file will be; an existing file is replaced.
  /// - Throws: ``GGUFError`` if these cannot form a file, `TensorError` if a number is not finite as
  ///   it is stored or a count is wrong, `FileError` if the file cannot be written, and what the
  ///   tensors throw. Then nothing is left, and an older file stays as it was.
  package static func write(
    _ metadata: [GGUFEntry],
    _ tensors: [Tensor],
    to path: String
  ) throws {
    let header: [UInt8]
    do throws(GGUFFault) {
      header = try GGUFHeaderWriter.header(metadata, tensors)
    } catch {
      throw GGUFError(path: path, fault: error.fault)
    }
    var output = try OutputFile(path)
    try output.write(header)
    for tensor in tensors {
      let bytes = try tensor.description.bytes(of: try tensor.floats(), name: tensor.name)
      try output.write(bytes)
      let padding = -bytes.count & (GGUFLayout.standardAlignment - 1)
      try output.write([UInt8](repeating: 0, count: padding))
    }
    try output.commit()
  }
}

/// A fault before it is known in which file.
struct GGUFFault: Error {
  let fault: GGUFError.Fault
  init(_ fault: GGUFError.Fault) { self.fault = fault }
}
