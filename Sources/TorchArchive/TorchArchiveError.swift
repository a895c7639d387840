/// Why a PyTorch file cannot be trusted.
package struct TorchArchiveError: Error, Equatable, CustomStringConvertible {
  /// What is wrong.
  package enum Fault: Equatable, Sendable {
    /// Not a zip archive at all.
    case noArchive
    /// The format of PyTorch before 1.6.
    case legacyFormat
    /// The archive's directory breaks a rule; the text says which.
    case invalidArchive(String)
    /// An entry is compressed or encrypted.
    case unsupportedEntry(String)
    /// An entry that must be there is not.
    case missingEntry(String)
    /// The numbers are not little-endian.
    case byteOrder(String)
    /// The pickle ends early, or asks for what is not on its stack.
    case invalidPickle(offset: Int)
    /// The pickle uses an instruction that state dictionaries have no use for.
    case refusedOpcode(UInt8, offset: Int)
    /// The pickle names a function or class that is not on the list of harmless ones.
    case refusedGlobal(String)
    /// The pickle calls something with arguments that are not those of a state dictionary.
    case refusedCall(String)
    /// The pickle holds something else than a dictionary of tensors.
    case noStateDictionary
    /// A member of the dictionary is not a tensor.
    case notATensor(String)
    /// Two tensors have the same name.
    case duplicateName(String)
    /// A tensor's extents do not lie within its storage.
    case outOfBounds(String)
  }

  /// The file.
  package let path: String
  /// What is wrong with it.
  package let fault: Fault

  package var description: String { "\(path) cannot be read as PyTorch weights: \(fault.text)" }
}

extension TorchArchiveError.Fault {
  fileprivate var text: String {
    switch self {
    case .noArchive: "it is not a zip archive; it may not have been downloaded completely"
    case .legacyFormat:
      "it is in the format of PyTorch before 1.6; load and save it with a newer PyTorch"
    case .invalidArchive(let reason): "its zip directory is invalid: \(reason)"
    case .unsupportedEntry(let name): "its entry \"\(name)\" is compressed or encrypted"
    case .missingEntry(let name): "it has no entry \"\(name)\""
    case .byteOrder(let order): "its numbers are stored as \"\(order)\", not little-endian"
    case .invalidPickle(let offset): "its pickle is malformed at byte \(offset)"
    case .refusedOpcode(let opcode, let offset):
      "refuses pickle opcode 0x\(String(opcode, radix: 16)) at byte \(offset):"
        + " weights have no use for it"
    case .refusedGlobal(let name): "refuses pickle global \(name): weights have no use for it"
    case .refusedCall(let name): "refuses pickle call of \(name) with unknown arguments"
    case .noStateDictionary: "its pickle is not a dictionary of tensors"
    case .notATensor(let name): "its entry \"\(name)\" is not a tensor"
    case .duplicateName(let name): "two tensors are called \"\(name)\""
    case .outOfBounds(let name): "the tensor \"\(name)\" reaches beyond its storage"
    }
  }
}
