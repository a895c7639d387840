import ExactJSON
import Foundation

/// The shards of one calibration, all of them and each once.
struct ShardSet {
  /// A shard's directory and what it says of itself.
  struct Member {
    let folder: URL
    let manifest: StatisticsManifest
    let record: ShardRecord

    /// Opens a directory.
    ///
    /// - Throws: ``JobError/badStatistics(path:reason:)``, or ``JobError/foreignShard(path:reason:)``
    ///   if it holds no shard.
    init(_ folder: URL) throws {
      manifest = try StatisticsManifest(directory: folder)
      guard let record = manifest.shard else {
        throw JobError.foreignShard(path: folder.relativePath, reason: "it is no shard but whole")
      }
      self.folder = folder
      self.record = record
    }
  }

  /// The shards, by their numbers.
  let members: [Member]
  /// The windows of all shards.
  let windows: TokenWindows

  /// Opens shards and checks that they make a whole.
  ///
  /// - Parameter folders: Their directories, in any order.
  /// - Throws: ``JobError/foreignShard(path:reason:)`` naming the first that does not belong to the
  ///   others, ``JobError/missingShards(_:count:)``, or what opening their files throws.
  init(_ folders: [URL]) throws {
    var members: [Int: Member] = [:]
    var first: Member?
    for folder in folders {
      let member = try Member(folder)
      let standard = first ?? member
      first = standard
      func foreign(_ reason: String) -> JobError {
        .foreignShard(path: folder.relativePath, reason: reason)
      }
      if let difference = member.difference(from: standard) {
        throw foreign(difference)
      }
      let shard = member.record.shard
      if let twin = members.updateValue(member, forKey: shard.index) {
        let place = twin.folder.relativePath
        throw foreign("it is shard \(shard.index) of \(shard.count), as \(place) is")
      }
    }
    guard let count = first?.record.shard.count else {
      throw JobError.badSetting("there is nothing to merge")
    }
    let missing = (1...count).filter { members[$0] == nil }
    guard missing.isEmpty else { throw JobError.missingShards(missing, count: count) }
    self.members = members.sorted { $0.key < $1.key }.map(\.value)
    windows = try Self.windows(self.members)
  }

  /// The manifest of the whole, without a loss yet.
  var manifest: StatisticsManifest {
    var whole = members[0].manifest
    whole.shard = nil
    whole.dataFingerprint = windows.fingerprint
    whole.sequences = windows.count
    whole.starts = windows.starts
    whole.loss = nil
    return whole
  }

  /// The mean cross entropy on the windows of all shards, in nats per predicted token.
  ///
  /// - Throws: ``JobError/badStatistics(path:reason:)`` naming a shard that has none.
  func loss() throws -> Double {
    WeightedMean.loss(
      try members.map { member in
        guard let loss = member.manifest.loss, loss.isFinite else {
          throw JobError.badStatistics(
            path: member.folder.relativePath,
            reason: "\(StatisticsManifest.fileName) names no loss"
          )
        }
        return (loss, member.manifest.sequences)
      }
    )
  }

  /// What tells this merger from another.
  var identity: JSONValue { ["merge": .array(members.map(\.manifest.json))] }

  /// The windows of shards that stand in their order.
  private static func windows(_ members: [Member]) throws -> TokenWindows {
    let parts = try members.map { try $0.manifest.windows(in: $0.folder) }
    let starts = parts.compactMap(\.starts)
    let windows = TokenWindows(
      tokens: parts.flatMap(\.tokens),
      length: parts[0].length,
      starts: starts.count == parts.count ? starts.flatMap { $0 } : nil,
      source: parts[0].source
    )
    // Each shard names the same hash, and its own tokens were checked against its own.
    guard windows.fingerprint == members[0].record.dataFingerprint else {
      throw JobError.badStatistics(
        path: members[0].folder.relativePath,
        reason: "the windows of all shards are others than it says"
      )
    }
    return windows
  }
}

extension ShardSet.Member {
  /// What this shard has another of than one that it shall be merged with; nil if nothing.
  fileprivate func difference(from other: Self) -> String? {
    let place = other.folder.relativePath
    guard manifest.modelFingerprint == other.manifest.modelFingerprint,
      manifest.layers == other.manifest.layers, manifest.family == other.manifest.family
    else { return "it is of another model than \(place)" }
    let properties: [(name: String, text: (Self) -> String)] = [
      ("number of shards", { String($0.record.shard.count) }),
      ("number of windows", { String($0.record.sequences) }),
      ("length", { String($0.manifest.length) }),
      ("seed", { String($0.manifest.seed) }),
      ("kind of labels", { $0.manifest.labels.rawValue }),
      ("scratch precision", { $0.manifest.activations.rawValue }),
      ("precision of products", { $0.manifest.compute.rawValue }),
    ]
    for (name, text) in properties where text(self) != text(other) {
      return "its \(name) is \(text(self)), that of \(place) is \(text(other))"
    }
    return record.dataFingerprint == other.record.dataFingerprint
      ? nil : "it is of other windows than \(place)"
  }
}
