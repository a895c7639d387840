import ExactJSON
import Foundation
import Safetensors
import TestKit
import Testing

@testable import LLMSurgeon

@Suite("Shards that do not belong together")
struct ShardRefusalTests {
  /// Expects that nothing is merged, for a reason.
  private func refuse(
    _ names: [String],
    of sharding: Sharding,
    saying words: String...,
    location: SourceLocation = #_sourceLocation
  ) {
    let error = #expect(throws: (any Error).self, sourceLocation: location) {
      try sharding.merge(names, to: "merged")
    }
    let text = error.map { "\($0)" } ?? ""
    for word in words { #expect(text.contains(word), "\(text)", sourceLocation: location) }
    let left = try? sharding.scratch.names()
    #expect(left?.contains { $0.contains("merged") } == false, sourceLocation: location)
  }

  @Test("missing and duplicate shards are named, and what is no shard")
  func incomplete() throws {
    let sharding = try Sharding("opt")
    let names = try sharding.shards(3)
    try sharding.calibrate(to: "whole")
    refuse([names[1]], of: sharding, saying: "of 3 shards, 1, 3 are missing")
    refuse([names[0], names[2]], of: sharding, saying: "2 is missing")
    refuse(names + [names[1]], of: sharding, saying: "shard 2 of 3", names[1])
    refuse(names + ["whole"], of: sharding, saying: "whole", "no shard")
    refuse(["nowhere"], of: sharding, saying: "nowhere")
    refuse([], of: sharding, saying: "nothing to merge")
  }

  @Test("shards of another model, other windows or other options say what differs")
  func foreign() throws {
    var sharding = try Sharding("opt")
    let names = try sharding.shards(2)
    let standard = sharding
    let first = [names[0]]

    sharding.labels = .sampled
    try sharding.calibrate("2/2", to: "sampled")
    refuse(first + ["sampled"], of: standard, saying: "labels is sampled")

    sharding = standard
    sharding.windows.seed = 6
    try sharding.calibrate("2/2", to: "seed")
    refuse(first + ["seed"], of: standard, saying: "seed is 6", "is 5")

    sharding = standard
    sharding.windows.samples = 2
    try sharding.calibrate("2/2", to: "fewer")
    refuse(first + ["fewer"], of: standard, saying: "number of windows is 2")

    try standard.calibrate("2/3", to: "third")
    refuse(first + ["third"], of: standard, saying: "number of shards is 3")

    var options = try standard.options("2/2", to: "precision")
    options.memory.precision = .bfloat16
    _ = try calibrate(options)
    refuse(first + ["precision"], of: standard, saying: "scratch precision is bf16")

    try standard.calibrate("2/2", to: "products")
    let manifest = try standard.scratch.read("products/manifest.json")
    let text = String(decoding: manifest, as: UTF8.self)
      .replacing("\"compute\": \"f32\"", with: "\"compute\": \"bf16\"")
    try standard.scratch.write("products/manifest.json", Array(text.utf8))
    refuse(first + ["products"], of: standard, saying: "precision of products is bf16")

    let model = try standard.changedModel()
    _ = try calibrate(try standard.options("2/2", to: "model", model: model))
    refuse(first + ["model"], of: standard, saying: "of another model")
  }

  @Test("a shard whose files are lost or cut is refused before anything is written")
  func damaged() throws {
    let sharding = try Sharding("opt")
    let names = try sharding.shards(2)
    let scratch = sharding.scratch
    for file in ["block-00001.safetensors", "tokens.safetensors", "manifest.json"] {
      let path = "\(names[1])/\(file)"
      let bytes = try scratch.read(path)
      try scratch.write(path, Array(bytes.dropLast(3)))
      refuse(names, of: sharding, saying: names[1])
      try FileManager.default.removeItem(atPath: scratch.path(path))
      refuse(names, of: sharding, saying: names[1])
      try scratch.write(path, bytes)
    }
    var manifest = try scratch.read("\(names[1])/manifest.json")
    let text = String(decoding: manifest, as: UTF8.self)
    manifest = Array(text.replacing("\"index\": 2", with: "\"index\": 1").utf8)
    try scratch.write("\(names[1])/manifest.json", manifest)
    refuse(names, of: sharding)
  }

  @Test("a merger that was killed anywhere ends with the same bytes")
  func continued() throws {
    let sharding = try Sharding("llama3")
    let names = try sharding.shards(2)
    let scratch = sharding.scratch
    try sharding.merge(names, to: "merged")
    let snapshots = Snapshots(of: scratch.url(".again.unfinished"))
    _ = try merge(
      MergeOptions(shards: names.map { scratch.url($0) }, output: scratch.url("again")),
      progress: snapshots
    )
    #expect(snapshots.copies.count >= 2)
    for number in snapshots.copies.indices {
      try sharding.merge(names, to: "part-\(number)")
      #expect(try differences(scratch.url("merged"), scratch.url("part-\(number)")) == [])
    }
    #expect(try scratch.names().allSatisfy { !$0.hasPrefix(".") })
  }
}

extension Sharding {
  /// A model of the same shape with one other weight.
  fileprivate func changedModel() throws -> URL {
    let url = scratch.url("changed")
    try FileManager.default.copyItem(at: fixture.url, to: url)
    var bytes = try scratch.read("changed/model.safetensors")
    bytes[bytes.count - 4] ^= 1
    try scratch.write("changed/model.safetensors", bytes)
    return url
  }
}
