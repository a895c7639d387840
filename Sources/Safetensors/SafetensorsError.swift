internal import Tensors

/// Why a safetensors file cannot be trusted or written.
package struct SafetensorsError: Error, Equatable, CustomStringConvertible {
  /// What is wrong.
  package enum Fault: Equatable, Sendable {
    /// The file ends before the header does.
    case truncatedHeader
    /// The header's length, in bytes, is beyond what any reader accepts.
    case headerTooLong(UInt64)
    /// The header is no JSON; the text says why.
    case invalidHeader(String)
    /// The header is JSON, but not an object.
    case headerIsNoObject
    /// `__metadata__` is not an object of strings.
    case invalidMetadata
    /// A tensor's entry lacks a member or has one of the wrong kind.
    case invalidEntry(String, member: String)
    /// A tensor's elements are of a type that this program does not know.
    case unknownElementType(String, String)
    /// A tensor's shape has more elements than can be counted.
    case shapeTooLarge(String)
    /// A tensor's byte range does not have the length that its shape and type ask for.
    case wrongLength(String, expected: Int, found: Int)
    /// A tensor does not begin where the one before it ends.
    case notAdjacent(String, expected: Int, found: Int)
    /// The file does not end where its last tensor does.
    case wrongFileLength(expected: Int, found: Int)
    /// Two tensors to be written have the same name.
    case duplicateName(String)
    /// A tensor to be written may not be called that.
    case reservedName(String)
  }

  /// The file.
  package let path: String
  /// What is wrong with it.
  package let fault: Fault

  package var description: String { "\(path) is not a valid safetensors file: \(fault.text)" }
}

extension SafetensorsError.Fault {
  fileprivate var text: String {
    switch self {
    case .truncatedHeader:
      "it ends within its header; it may not have been downloaded completely"
    case .headerTooLong(let count):
      "its header claims \(count) bytes; at most \(SafetensorsHeader.maximumByteCount) are read"
    case .invalidHeader(let reason): "its header is \(reason)"
    case .headerIsNoObject: "its header is not a JSON object"
    case .invalidMetadata: "\"__metadata__\" is not an object of strings"
    case .invalidEntry(let name, let member):
      "\"\(member)\" of the tensor \"\(name)\" is missing or malformed"
    case .unknownElementType(let name, let type):
      "the tensor \"\(name)\" has the element type \"\(type)\", which is not supported"
    case .shapeTooLarge(let name): "the shape of the tensor \"\(name)\" is too large"
    case .wrongLength(let name, let expected, let found):
      "the tensor \"\(name)\" occupies \(found) bytes where its shape asks for \(expected)"
    case .notAdjacent(let name, let expected, let found):
      "the tensor \"\(name)\" begins at byte \(found) of the data instead of \(expected)"
    case .wrongFileLength(let expected, let found):
      "it has \(found) bytes where its header asks for \(expected);"
        + " it may not have been downloaded completely"
    case .duplicateName(let name): "two tensors are called \"\(name)\""
    case .reservedName(let name): "no tensor may be called \"\(name)\""
    }
  }
}
