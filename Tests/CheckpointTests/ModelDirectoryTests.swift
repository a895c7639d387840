import Checkpoint
import ExactJSON
import Foundation
import Safetensors
import Tensors
import TestKit
import Testing

@Suite("Model directories")
struct ModelDirectoryTests {
  @Test("a model of transformers is opened")
  func golden() throws {
    let model = try ModelDirectory(try Samples.golden("llama"))
    #expect(model.configuration["model_type"]?.string == "llama")
    #expect(model.tensors.description(of: "model.embed_tokens.weight")?.shape == [96, 32])
    #expect(!model.layout.isSharded)
    #expect(!model.tiesEmbeddings)
  }

  @Test("weights are looked for in one order")
  func preference() throws {
    let scratch = try ScratchDirectory()
    try scratch.write("in/config.json", "{}")
    let path = scratch.path("in")
    #expect(throws: CheckpointError.noWeights(path)) { try ModelDirectory(path) }
    let archive = try Samples.golden("pytorch_model.bin")
    try FileManager.default.copyItem(atPath: archive, toPath: path + "/pytorch_model.bin")
    #expect(try ModelDirectory(path).layout.files == ["pytorch_model.bin"])
    _ = try Samples.sharded(scratch)
    #expect(try ModelDirectory(path).layout.isSharded)
    #expect(try ModelDirectory(path).tensors.names == ["a", "b", "c"])
    try Samples.weights(["z"], to: scratch.path("in/model.safetensors"))
    #expect(try ModelDirectory(path).tensors.names == ["z"])
  }

  @Test("sharded weights are read from the file that holds them")
  func sharded() throws {
    let scratch = try ScratchDirectory()
    let model = try ModelDirectory(try Samples.sharded(scratch))
    #expect(model.layout.fileOfTensor["b"] == "model-00002-of-00002.safetensors")
    #expect(try model.tensors.floats("b") == [1, 2])
    #expect(try model.tensors.withBytes("c") { $0.byteCount } == 4)
    #expect(throws: TensorError.missing("d")) { try model.tensors.bytes("d") }
  }

  @Test("missing shards are reported, all by name")
  func missingShards() throws {
    let scratch = try ScratchDirectory()
    let path = try Samples.sharded(scratch)
    let names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    for name in names { try FileManager.default.removeItem(atPath: path + "/" + name) }
    #expect(throws: CheckpointError.missingShards(path, names: names)) { try ModelDirectory(path) }
  }

  @Test("an index that disagrees with its files is refused")
  func disagreement() throws {
    let scratch = try ScratchDirectory()
    let path = try Samples.sharded(scratch)
    let (first, second) = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    try Samples.index(scratch, ["a": "1", "b": "2", "c": "1", "d": "2"])
    #expect(throws: CheckpointError.missingFromShard("d", shard: second)) {
      try ModelDirectory(path)
    }
    try Samples.index(scratch, ["a": "1", "b": "2"])
    #expect(throws: CheckpointError.missingFromIndex("c", shard: first)) {
      try ModelDirectory(path)
    }
    try Samples.index(scratch, ["a": "1", "b": "2", "c": "2"])
    #expect(throws: CheckpointError.missingFromIndex("c", shard: first)) {
      try ModelDirectory(path)
    }
  }

  @Test(
    "shards outside of the directory or of another kind are refused",
    arguments: [
      "../a.safetensors", "/a.safetensors", "x/a.safetensors", "..", "", "a.bin", "config.json",
    ]
  )
  func shardNames(name: String) throws {
    let scratch = try ScratchDirectory()
    let path = try Samples.sharded(scratch)
    try scratch.write(
      "in/model.safetensors.index.json",
      #"{"weight_map": {"a": "\#(name)"}}"#
    )
    let error = #expect(throws: CheckpointError.self) { try ModelDirectory(path) }
    guard case .invalidFile = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test(
    "an index without a map and a configuration that is no object are refused",
    arguments: [
      "", "[]", "{", "{}", #"{"weight_map": 1}"#, #"{"weight_map": {}}"#,
      #"{"weight_map": {"a": 1}}"#,
    ]
  )
  func invalidJSON(text: String) throws {
    let scratch = try ScratchDirectory()
    let path = try Samples.sharded(scratch)
    try scratch.write("in/model.safetensors.index.json", text)
    #expect(throws: CheckpointError.self) { try ModelDirectory(path) }
    guard JSONParserAccepts.object(text) else {
      try scratch.write("in/config.json", text)
      #expect(throws: CheckpointError.self) { try ModelDirectory(path) }
      return
    }
  }

  @Test("what is no model is refused by what it lacks")
  func lacking() throws {
    let scratch = try ScratchDirectory()
    #expect(throws: CheckpointError.noDirectory(scratch.path("none"))) {
      try ModelDirectory(scratch.path("none"))
    }
    #expect(throws: CheckpointError.missingFile(scratch.path("config.json"))) {
      try ModelDirectory(scratch.path)
    }
  }

  @Test("the fingerprint depends on the content, not on the files")
  func fingerprint() throws {
    let (one, two) = (try ScratchDirectory(), try ScratchDirectory())
    let sharded = try ModelDirectory(try Samples.sharded(one)).fingerprint()
    let path = try Samples.single(two, ["c", "b", "a"], configuration: "{}")
    #expect(try ModelDirectory(path).fingerprint() == sharded)
    try two.write("in/config.json", "{ }")
    #expect(try ModelDirectory(path).fingerprint() != sharded)
    try two.write("in/config.json", "{}")
    try Samples.weights(["a", "b", "d"], to: two.path("in/model.safetensors"))
    #expect(try ModelDirectory(path).fingerprint() != sharded)
  }

  @Test(
    "a silent configuration means the default of the family",
    arguments: [
      (#"{"model_type": "opt"}"#, true), (#"{"model_type": "llama"}"#, false), ("{}", false),
      (#"{"model_type": "opt", "tie_word_embeddings": false}"#, false),
      (#"{"model_type": "llama", "tie_word_embeddings": true}"#, true),
    ]
  )
  func ties(configuration: String, expected: Bool) throws {
    let scratch = try ScratchDirectory()
    let path = try Samples.single(scratch, configuration: configuration)
    #expect(try ModelDirectory(path).tiesEmbeddings == expected)
  }
}

/// Whether text is a JSON object.
enum JSONParserAccepts {
  static func object(_ text: String) -> Bool {
    (try? JSONParser.parse(Array(text.utf8)))?.object != nil
  }
}
