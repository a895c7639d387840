package import Tensors

/// A state dictionary that PyTorch (1.6 or later) wrote, such as `pytorch_model.bin`, mapped into
/// memory; nothing in it is executed.
package struct TorchArchive: TensorSource {
  private let file: MappedFile
  private let tensors: [TensorName: StridedTensor]

  /// The tensors' names, sorted by bytes.
  package let names: [TensorName]

  /// Opens a file and checks where each tensor is.
  ///
  /// - Parameter path: Where the file is.
  /// - Throws: `FileError` if it cannot be read, ``TorchArchiveError`` if it is not what it should
  ///   be.
  package init(path: String) throws {
    try self.init(MappedFile(path))
  }

  /// Takes a file that is mapped already.
  ///
  /// - Parameter file: The whole file.
  /// - Throws: ``TorchArchiveError``.
  package init(_ file: MappedFile) throws(TorchArchiveError) {
    self.file = file
    do throws(Unpickler.Refusal) {
      tensors = try Self.tensors(file)
    } catch {
      throw TorchArchiveError(path: file.path, fault: error.fault)
    }
    names = tensors.keys.sorted()
  }

  /// Where the file is.
  package var path: String { file.path }

  package func description(of name: TensorName) -> TensorDescription? {
    tensors[name]?.description
  }

  package func bytes(_ name: TensorName) throws -> [UInt8] {
    try tensor(name).gather(file)
  }

  package func withBytes<Result>(
    _ name: TensorName,
    _ body: (RawSpan) throws -> Result
  ) throws -> Result {
    let tensor = try tensor(name)
    if let range = tensor.contiguousRange { return try body(file.bytes.extracting(range)) }
    return try MappedFile(path: path, content: tensor.gather(file)).withBytes(body)
  }

  private func tensor(_ name: TensorName) throws(TensorError) -> StridedTensor {
    guard let tensor = tensors[name] else { throw .missing(name) }
    return tensor
  }
}

// Reading the archive.
extension TorchArchive {
  private static func tensors(
    _ file: MappedFile
  ) throws(Unpickler.Refusal) -> [TensorName: StridedTensor] {
    try refuseLegacyFormat(file)
    let entries = try directory(file)
    let root = try root(entries)
    if let order = entries[root + "byteorder"] {
      let text = String(decoding: file.copy(order).prefix(32), as: UTF8.self)
      guard text == "little" else { throw Unpickler.Refusal(.byteOrder(text)) }
    }
    guard let pickle = entries[root + pickleName] else {
      throw Unpickler.Refusal(.missingEntry(root + pickleName))
    }
    let (heap, top) = try Unpickler.run(file.copy(pickle))
    guard case .dictionary(let slot) = top else { throw Unpickler.Refusal(.noStateDictionary) }
    var tensors: [TensorName: StridedTensor] = [:]
    for (key, value) in heap.dictionaries[slot] {
      guard case .text(let utf8) = key else { throw Unpickler.Refusal(.noStateDictionary) }
      let name = TensorName(utf8: utf8)
      guard case .tensor(let index) = value else {
        throw Unpickler.Refusal(.notATensor(name.description))
      }
      let tensor = try place(heap.tensors[index], name, heap, entries, root)
      guard tensors.updateValue(tensor, forKey: name) == nil else {
        throw Unpickler.Refusal(.duplicateName(name.description))
      }
    }
    return tensors
  }

  private static let pickleName = "data.pkl"

  private static func directory(
    _ file: MappedFile
  ) throws(Unpickler.Refusal) -> [String: Range<Int>] {
    do { return try ZipDirectory(file).entries } catch { throw Unpickler.Refusal(error.fault) }
  }

  /// The directory within the archive, with its slash.
  private static func root(_ entries: [String: Range<Int>]) throws(Unpickler.Refusal) -> String {
    let suffix = "/" + pickleName
    let pickles = entries.keys.filter { $0.hasSuffix(suffix) }
    guard let pickle = pickles.first else { throw Unpickler.Refusal(.missingEntry(pickleName)) }
    guard pickles.count == 1 else {
      throw Unpickler.Refusal(.invalidArchive("there are several entries \(pickleName)"))
    }
    return String(pickle.dropLast(pickleName.count))
  }

  /// Before 1.6 a file was a pickle that begins with protocol 2 and a long integer of ten bytes.
  private static func refuseLegacyFormat(_ file: MappedFile) throws(Unpickler.Refusal) {
    let signature: [UInt8] = [0x80, 0x02, 0x8A, 0x0A]
    guard file.count >= signature.count, file.copy(0..<signature.count) == signature else { return }
    throw Unpickler.Refusal(.legacyFormat)
  }

  private static func place(
    _ tensor: PickleTensor,
    _ name: TensorName,
    _ heap: PickleHeap,
    _ entries: [String: Range<Int>],
    _ root: String
  ) throws(Unpickler.Refusal) -> StridedTensor {
    let storage = heap.storages[tensor.storage]
    let entryName = root + "data/" + storage.key
    guard let entry = entries[entryName] else { throw Unpickler.Refusal(.missingEntry(entryName)) }
    let (byteCount, overflow) = storage.count.multipliedReportingOverflow(
      by: storage.elementType.byteCount
    )
    guard !overflow, byteCount == entry.count,
      let placed = StridedTensor(tensor, elementType: storage.elementType, storage: entry)
    else { throw Unpickler.Refusal(.outOfBounds(name.description)) }
    return placed
  }
}
