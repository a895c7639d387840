package import Tensors

/// A GGUF file with tensors that are not quantized, mapped into memory.
package struct GGUFFile: TensorSource {
  private let file: MappedFile
  private let header: GGUFHeader

  /// The tensors' names, sorted by bytes.
  package let names: [TensorName]

  /// Opens a file and checks its header.
  ///
  /// - Parameter path: Where the file is.
  /// - Throws: `FileError` if it cannot be read, ``GGUFError`` if it breaks a rule of the format.
  package init(path: String) throws {
    try self.init(MappedFile(path))
  }

  /// Takes a file that is mapped already.
  ///
  /// - Parameter file: The whole file.
  /// - Throws: ``GGUFError`` if it breaks a rule of the format.
  package init(_ file: MappedFile) throws(GGUFError) {
    self.file = file
    do throws(GGUFFault) {
      header = try GGUFHeader(file)
    } catch {
      throw GGUFError(path: file.path, fault: error.fault)
    }
    names = header.tensors.map(\.name).sorted()
  }

  /// The named values, in the order of the file.
  package var metadata: [GGUFEntry] { header.metadata }

  /// The tensors' names, in the order of the file.
  package var namesInFileOrder: [TensorName] { header.tensors.map(\.name) }

  /// The value of a key, or nil if the file does not have it.
  package func value(_ key: String) -> GGUFValue? {
    header.metadata.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
  }

  package func description(of name: TensorName) -> TensorDescription? {
    header.places[name].map { header.tensors[$0].description }
  }

  package func bytes(_ name: TensorName) throws -> [UInt8] {
    guard let place = header.places[name] else { throw TensorError.missing(name) }
    return file.copy(header.tensors[place].range)
  }
}
