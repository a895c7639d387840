package import Tensors

/// A safetensors file, mapped into memory.
package struct SafetensorsFile: TensorSource {
  private let file: MappedFile
  private let header: SafetensorsHeader

  /// The tensors' names, sorted by bytes.
  package let names: [TensorName]

  /// Opens a file and checks its header.
  ///
  /// - Parameter path: Where the file is.
  /// - Throws: `FileError` if it cannot be read, ``SafetensorsError`` if it breaks a rule of the
  ///   format.
  package init(path: String) throws {
    try self.init(MappedFile(path))
  }

  /// Takes a file that is mapped already.
  ///
  /// - Parameter file: The whole file.
  /// - Throws: ``SafetensorsError`` if it breaks a rule of the format.
  package init(_ file: MappedFile) throws(SafetensorsError) {
    self.file = file
    header = try SafetensorsHeader(file)
    names = header.entries.keys.sorted()
  }

  /// Where the file is.
  package var path: String { file.path }

  /// The file's text entries, such as `format`.
  package var metadata: [String: String] { header.metadata }

  package func description(of name: TensorName) -> TensorDescription? {
    header.entries[name]?.description
  }

  package func bytes(_ name: TensorName) throws -> [UInt8] {
    file.copy(try entry(name).range)
  }

  package func withBytes<Result>(
    _ name: TensorName,
    _ body: (RawSpan) throws -> Result
  ) throws -> Result {
    try body(file.bytes.extracting(try entry(name).range))
  }

  package func floats(_ name: TensorName) throws -> [Float] {
    let entry = try entry(name)
    return try entry.description.floats(from: file.bytes.extracting(entry.range), name: name)
  }

  package func integers(_ name: TensorName) throws -> [Int] {
    let entry = try entry(name)
    return try entry.description.integers(from: file.bytes.extracting(entry.range), name: name)
  }

  private func entry(_ name: TensorName) throws(TensorError) -> SafetensorsHeader.Entry {
    guard let entry = header.entries[name] else { throw .missing(name) }
    return entry
  }
}
