import Checkpoint
import Foundation
import TestKit
import Testing

@Suite("Finding models")
struct ModelLocationTests {
  /// A cache as the Hub's client writes it, with one model.
  static func cache() throws -> ScratchDirectory {
    let scratch = try ScratchDirectory()
    let root = "hub/models--org--name"
    try scratch.write(root + "/refs/main", "abc123\n")
    try scratch.write(root + "/refs/refs/pr/1", "def456")
    try scratch.write(root + "/blobs/0001", "{}")
    for commit in ["abc123", "def456"] {
      let folder = scratch.path(root + "/snapshots/" + commit)
      try FileManager.default.createDirectory(
        atPath: folder,
        withIntermediateDirectories: true
      )
      try FileManager.default.createSymbolicLink(
        atPath: folder + "/config.json",
        withDestinationPath: "../../blobs/0001"
      )
    }
    return scratch
  }

  @Test("a directory is taken as it is")
  func directory() throws {
    let scratch = try ScratchDirectory()
    let location = try ModelLocation.resolve(scratch.path, environment: [:])
    #expect(location.directory == scratch.path)
    #expect(location.repository == nil)
  }

  @Test(
    "a repository is found at its branch, at a reference and at a commit",
    arguments: [
      ("org/name", "abc123"), ("org/name@main", "abc123"), ("org/name@refs/pr/1", "def456"),
      ("org/name@def456", "def456"),
    ]
  )
  func repository(argument: String, commit: String) throws {
    let scratch = try Self.cache()
    let location = try ModelLocation.resolve(argument, environment: ["HF_HOME": scratch.path])
    #expect(location.repository == "org/name")
    #expect(location.commit == commit)
    #expect(
      location.directory == scratch.path("hub/models--org--name/snapshots/" + commit)
    )
    #expect(FileManager.default.fileExists(atPath: location.directory + "/config.json"))
  }

  @Test("the variables are looked at in the order of the Hub's client, and expanded")
  func environment() throws {
    let scratch = try Self.cache()
    let hub = scratch.path("hub")
    let cases: [[String: String]] = [
      ["HF_HUB_CACHE": hub, "HF_HOME": "/none"],
      ["HUGGINGFACE_HUB_CACHE": hub, "HF_HOME": "/none"],
      ["HF_HUB_CACHE": "", "HF_HOME": "~", "HOME": scratch.path],
      ["HF_HUB_CACHE": "$BASE/hub", "BASE": scratch.path],
      ["HF_HUB_CACHE": "${BASE}/h${TAIL}", "BASE": scratch.path, "TAIL": "ub"],
    ]
    for environment in cases {
      let found = try ModelLocation.resolve("org/name", environment: environment)
      #expect(found.commit == "abc123")
    }
    try FileManager.default.createDirectory(
      atPath: scratch.path(".cache"),
      withIntermediateDirectories: true
    )
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path(".cache/huggingface"),
      withDestinationPath: scratch.path
    )
    let found = try ModelLocation.resolve("org/name", environment: ["HOME": scratch.path])
    #expect(found.commit == "abc123")
    let other = try ModelLocation.resolve(
      "org/name",
      environment: ["XDG_CACHE_HOME": scratch.path(".cache"), "HOME": "/none"]
    )
    #expect(other.commit == "abc123")
  }

  @Test("what is not in the cache is refused with the command that fetches it")
  func absent() throws {
    let scratch = try Self.cache()
    let environment = ["HF_HOME": scratch.path]
    func message(_ argument: String) throws -> String {
      let error = #expect(throws: CheckpointError.self) {
        try ModelLocation.resolve(argument, environment: environment)
      }
      return try #require(error).description
    }
    #expect(try message("org/other").hasSuffix("hf download org/other"))
    #expect(try message("org/name@v2").hasSuffix("hf download org/name --revision v2"))
    #expect(try message("gpt2").hasSuffix("hf download gpt2"))
  }

  @Test(
    "what could be neither is refused",
    arguments: [
      "a/b/c", "", "org/", "/none/such", "./none", "~/none", "org/..", "org/na me", "org/name@",
      "org/name@../x", "org/name@a//b", "o--g/name",
    ]
  )
  func invalid(argument: String) throws {
    let scratch = try Self.cache()
    let error = #expect(throws: CheckpointError.self) {
      try ModelLocation.resolve(argument, environment: ["HF_HOME": scratch.path])
    }
    switch error {
    case .invalidModelName(argument), .noDirectory(argument): break
    default: Issue.record("\(String(describing: error))")
    }
  }

  @Test("a reference that leaves the cache is not followed")
  func hostileReference() throws {
    let scratch = try Self.cache()
    for content in ["../../..", "/", "..", ""] {
      try scratch.write("hub/models--org--name/refs/bad", content)
      #expect(throws: CheckpointError.self) {
        try ModelLocation.resolve("org/name@bad", environment: ["HF_HOME": scratch.path])
      }
    }
  }
}
