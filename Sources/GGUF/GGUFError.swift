/// Why a GGUF file cannot be trusted or written.
package struct GGUFError: Error, Equatable, CustomStringConvertible {
  /// What is wrong.
  package enum Fault: Equatable, Sendable {
    /// The file does not begin with the four letters of the format.
    case notGGUF
    /// The file is of another version.
    case unknownVersion(UInt32)
    /// The file ends within its header, or a count in it is larger than the file can hold.
    case truncatedHeader
    /// A text that must be UTF-8 is not; with what it names.
    case invalidText(String)
    /// A metadata value is of a kind that the format does not have, or an array holds arrays.
    case unknownValueType(key: String, UInt32)
    /// A truth value is neither 0 nor 1.
    case invalidBool(key: String)
    /// A key is empty, too long, or not of ASCII letters, digits, `_`, `-` and `.`.
    case invalidKey(String)
    /// Two metadata values have one key.
    case duplicateKey(String)
    /// `general.alignment` is not a power of two of 8 or more.
    case invalidAlignment
    /// Two tensors have the same name.
    case duplicateName(String)
    /// A tensor's name is empty or longer than other software accepts.
    case invalidName(String)
    /// A tensor has no extents, more than four, or one that is not positive.
    case invalidShape(String)
    /// A tensor's shape has more elements than can be counted.
    case shapeTooLarge(String)
    /// A tensor's elements are of a type that this program does not know, such as a quantized one.
    case unknownElementType(String, UInt32)
    /// A tensor's elements are of a type that the format does not have.
    case unsupportedElementType(String, String)
    /// A tensor does not begin where the one before it ends, rounded up to the alignment.
    case wrongOffset(String, expected: Int, found: UInt64)
    /// The file does not end where its last tensor does, rounded up to the alignment.
    case wrongFileLength(expected: Int, found: Int)
  }

  /// The file.
  package let path: String
  /// What is wrong with it.
  package let fault: Fault

  package var description: String { "\(path) is not a valid GGUF file: \(fault.text)" }
}

extension GGUFError.Fault {
  fileprivate var text: String {
    switch self {
    case .notGGUF: "it does not begin with \"GGUF\""
    case .unknownVersion(let version):
      "it has version \(version); only version \(GGUFLayout.version) is read"
    case .truncatedHeader:
      "it ends within its header; it may not have been downloaded completely"
    case .invalidText(let place): "\(place) is not UTF-8"
    case .unknownValueType(let key, let type): "\"\(key)\" has a value of the unknown kind \(type)"
    case .invalidBool(let key): "\"\(key)\" holds a truth value that is neither 0 nor 1"
    case .invalidKey(let key): "no key may be called \"\(key)\""
    case .duplicateKey(let key): "two values are called \"\(key)\""
    case .invalidAlignment:
      "\"\(GGUFLayout.alignmentKey)\" is not a power of two from 8 on, stored in 32 bits"
    case .duplicateName(let name): "two tensors are called \"\(name)\""
    case .invalidName(let name):
      "the tensor name \"\(name)\" does not have from 1 to \(GGUFLayout.longestName) bytes"
    case .invalidShape(let name):
      "the tensor \"\(name)\" does not have from 1 to \(GGUFLayout.mostDimensions) positive extents"
    case .shapeTooLarge(let name): "the shape of the tensor \"\(name)\" is too large"
    case .unknownElementType(let name, let type):
      "the tensor \"\(name)\" has the element type \(type), which is not supported"
    case .unsupportedElementType(let name, let type):
      "the tensor \"\(name)\" has the element type \(type), which the format does not have"
    case .wrongOffset(let name, let expected, let found):
      "the tensor \"\(name)\" begins at byte \(found) of the data instead of \(expected)"
    case .wrongFileLength(let expected, let found):
      "it has \(found) bytes where its header asks for \(expected);"
        + " it may not have been downloaded completely"
    }
  }
}
