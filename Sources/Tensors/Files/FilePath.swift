internal import Glibc

/// Paths as text, with `/` between the names.
package enum FilePath {
  /// How often another temporary name is tried.
  package static let attempts = 1000

  /// The last name of a path, and the directory that holds it.
  package static func split(_ path: String) -> (directory: String, name: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
    let name = String(path[path.utf8.index(after: slash)...])
    return (slash == path.startIndex ? "/" : String(path[..<slash]), name)
  }

  /// A file or directory within a directory.
  package static func join(_ directory: String, _ name: String) -> String {
    directory.hasSuffix("/") ? directory + name : directory + "/" + name
  }

  /// The temporary name beside a path under which its content is prepared.
  package static func partial(_ path: String, attempt: Int) -> String {
    let (directory, name) = split(path)
    let suffix = attempt == 0 ? "" : "-\(attempt)"
    return join(directory, ".\(name).partial-\(getpid())\(suffix)")
  }

  /// Whether text names something directly within a directory and nothing else.
  package static func isPlainName(_ name: String) -> Bool {
    !name.isEmpty && name != "." && name != ".."
      && !name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
  }
}
