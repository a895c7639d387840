internal import FoundationEssentials
internal import Tensors

/// Where a model is: a directory, or a snapshot in the local Hugging Face cache.
///
/// Nothing is fetched.
package struct ModelLocation: Equatable, Sendable {
  /// The revision that is meant when none is named.
  static let defaultRevision = "main"

  /// The directory that holds the model's files.
  package let directory: String
  /// `org/name`, if it was found in the cache.
  package let repository: String?
  /// The commit of the snapshot, if it was found in the cache.
  package let commit: String?

  /// Finds a model.
  ///
  /// - Parameters:
  ///   - model: An existing directory, or else `org/name` or `org/name@revision`.
  ///   - environment: The variables that say where the cache is: `HF_HUB_CACHE`,
  ///     `HUGGINGFACE_HUB_CACHE`, `HF_HOME`, `XDG_CACHE_HOME`, `HOME`.
  /// - Returns: Where it is.
  /// - Throws: ``CheckpointError`` that says how to fetch a model that is not there.
  package static func resolve(
    _ model: String,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(CheckpointError) -> ModelLocation {
    if FileSystem.isDirectory(model) {
      return ModelLocation(directory: model, repository: nil, commit: nil)
    }
    let looksLikePath = ["/", ".", "~"].contains { model.hasPrefix($0) }
    guard !looksLikePath, !FileSystem.exists(model) else { throw .noDirectory(model) }
    let parts = model.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    let repository = String(parts[0])
    let revision = parts.count > 1 ? String(parts[1]) : defaultRevision
    guard isRepository(repository), isRevision(revision) else { throw .invalidModelName(model) }
    let cache = HubCache(environment: environment)
    guard let (commit, directory) = cache.snapshot(of: repository, revision: revision) else {
      throw .notInCache(repository: repository, revision: revision, cache: cache.directory)
    }
    return ModelLocation(directory: directory, repository: repository, commit: commit)
  }

  private static func isRepository(_ text: String) -> Bool {
    let names = text.split(separator: "/", omittingEmptySubsequences: false)
    return names.count <= 2 && names.allSatisfy { isName($0) && !$0.contains("--") }
  }

  private static func isRevision(_ text: String) -> Bool {
    text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy(isName)
  }

  private static func isName(_ text: Substring) -> Bool {
    !text.isEmpty && text.first != "." && !text.contains("..")
      && text.utf8.allSatisfy {
        switch $0 {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
          UInt8(ascii: "."):
          true
        default: false
        }
      }
  }
}

/// The local cache of the Hugging Face Hub.
struct HubCache {
  /// Where it is.
  let directory: String

  /// The longest content of a file that names a commit, in bytes.
  private static let longestReference = 1024

  /// Finds the cache the way the Hub's own client does.
  init(environment: [String: String]) {
    func value(_ name: String) -> String? {
      environment[name].flatMap { $0.isEmpty ? nil : Self.expand($0, environment) }
    }
    let caches = value("XDG_CACHE_HOME") ?? Self.expand("~/.cache", environment)
    let home = value("HF_HOME") ?? FilePath.join(caches, "huggingface")
    directory =
      value("HF_HUB_CACHE") ?? value("HUGGINGFACE_HUB_CACHE") ?? FilePath.join(home, "hub")
  }

  /// The snapshot of a revision: the name of a branch or tag, or a commit.
  func snapshot(of repository: String, revision: String) -> (commit: String, directory: String)? {
    let folder = "models--" + repository.split(separator: "/").joined(separator: "--")
    let root = FilePath.join(directory, folder)
    let commit = reference(FilePath.join(root, "refs/" + revision)) ?? revision
    guard FilePath.isPlainName(commit) else { return nil }
    let snapshot = FilePath.join(root, "snapshots/" + commit)
    return FileSystem.isDirectory(snapshot) ? (commit, snapshot) : nil
  }

  private func reference(_ path: String) -> String? {
    guard let file = try? MappedFile(path), file.count <= Self.longestReference else { return nil }
    let text = String(decoding: file.copy(), as: UTF8.self)
    return text.split(whereSeparator: \.isWhitespace).first.map(String.init)
  }

  /// Replaces a leading `~` and the forms `$NAME` and `${NAME}`; unknown variables stay.
  private static func expand(_ text: String, _ environment: [String: String]) -> String {
    var rest = text[...]
    var result = ""
    if rest == "~" || rest.hasPrefix("~/") {
      result = environment["HOME"] ?? "~"
      rest.removeFirst()
    }
    while let dollar = rest.firstIndex(of: "$") {
      result += rest[..<dollar]
      rest = rest[rest.index(after: dollar)...]
      let isBraced = rest.first == "{" && rest.contains("}")
      let body = isBraced ? rest.dropFirst().prefix { $0 != "}" } : rest.prefix(while: isNamePart)
      rest = rest[body.endIndex...].dropFirst(isBraced ? 1 : 0)
      result += environment[String(body)] ?? (isBraced ? "${\(body)}" : "$\(body)")
    }
    return result + rest
  }

  private static func isNamePart(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || character == "_")
  }
}
