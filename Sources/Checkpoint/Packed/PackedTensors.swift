internal import Tensors

/// Tensors of which some are stored without their zeros, served with them.
struct PackedTensors: TensorSource {
  let names: [TensorName]
  private let base: any TensorSource
  private let matrices: [TensorName: PackedMatrix]
  /// The stored tensors that are not served.
  private let parts: Set<TensorName>

  /// Finds the packed matrices of a file.
  ///
  /// - Parameter base: The tensors as they are stored.
  /// - Returns: Nil if none is packed.
  /// - Throws: ``CheckpointError/invalidPacking(_:reason:)`` if the parts of one do not fit together.
  init?(_ base: any TensorSource) throws {
    let ending = Array(".\(PackedFormat.Part.compressed.rawValue)".utf8)
    var matrices: [TensorName: PackedMatrix] = [:]
    for name in base.names where name.utf8.suffix(ending.count).elementsEqual(ending) {
      let stem = TensorName(utf8: Array(name.utf8.dropLast(ending.count)))
      let matrix = try PackedMatrix(stem, in: base)
      matrices[matrix.name] = matrix
    }
    guard !matrices.isEmpty else { return nil }
    let parts = Set(matrices.values.flatMap(\.parts))
    names = (base.names.filter { !parts.contains($0) } + matrices.keys).sorted()
    self.base = base
    self.matrices = matrices
    self.parts = parts
  }

  func description(of name: TensorName) -> TensorDescription? {
    if let matrix = matrices[name] { return matrix.description }
    return parts.contains(name) ? nil : base.description(of: name)
  }

  func bytes(_ name: TensorName) throws -> [UInt8] {
    guard let matrix = matrices[name] else { return try base.bytes(try served(name)) }
    return try matrix.expanded(from: base)
  }

  func withBytes<Result>(
    _ name: TensorName,
    _ body: (RawSpan) throws -> Result
  ) throws -> Result {
    guard let matrix = matrices[name] else { return try base.withBytes(try served(name), body) }
    let bytes = try matrix.expanded(from: base)
    // SAFETY: bytes have no padding.
    return try unsafe body(bytes.span.bytes)
  }

  /// The file of each served tensor: that of the kept elements stands for a matrix.
  ///
  /// - Parameter stored: The file of each stored tensor.
  func files(_ stored: [TensorName: String]) -> [TensorName: String] {
    var files: [TensorName: String] = [:]
    for name in names {
      let holder = matrices[name].map { $0.parts[0] } ?? name
      files[name] = stored[holder]
    }
    return files
  }

  private func served(_ name: TensorName) throws(TensorError) -> TensorName {
    guard !parts.contains(name) else { throw .missing(name) }
    return name
  }
}
