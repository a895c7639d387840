import Checkpoint
import ExactJSON
import Foundation
import Safetensors
import Tensors
import TestKit
import Testing

@Suite("Writing checkpoints")
struct CheckpointWriterTests {
  @Test("without changes the copy is the model, byte for byte")
  func identity() throws {
    let scratch = try ScratchDirectory()
    let source = try Samples.golden("llama")
    let model = try ModelDirectory(source)
    try CheckpointWriter.write(model, CheckpointChanges(), to: scratch.path("out"))
    #expect(try scratch.names() == ["out"])
    #expect(try scratch.names(in: "out") == ["config.json", "model.safetensors"])
    for name in ["config.json", "model.safetensors"] {
      #expect(try scratch.read("out/" + name) == MappedFile(source + "/" + name).copy())
    }
    #expect(try ModelDirectory(scratch.path("out")).fingerprint() == model.fingerprint())
  }

  @Test("what belongs to the model is copied, links resolved, and files are added")
  func files() throws {
    let scratch = try ScratchDirectory()
    let path = try Samples.single(scratch)
    try scratch.write("blob", "card")
    try FileManager.default.createSymbolicLink(
      atPath: path + "/README.md",
      withDestinationPath: "../blob"
    )
    var changes = CheckpointChanges()
    changes.extraFiles = ["report.json": Array("{}".utf8), "LICENSE.txt": Array("new".utf8)]
    try CheckpointWriter.write(try ModelDirectory(path), changes, to: scratch.path("out"))
    #expect(
      try scratch.names(in: "out") == [
        "LICENSE.txt", "README.md", "config.json", "model.safetensors", "report.json",
        "tokenizer.json",
      ]
    )
    #expect(try scratch.read("out/README.md") == Array("card".utf8))
    #expect(try scratch.read("out/LICENSE.txt") == Array("new".utf8))
    let attributes = try FileManager.default.attributesOfItem(
      atPath: scratch.path("out/README.md")
    )
    #expect(attributes[.type] as? FileAttributeType == .typeRegular)
  }

  @Test("replaced tensors keep their type; zeros lose their sign; the others are copied")
  func replacement() throws {
    let scratch = try ScratchDirectory()
    let model = try ModelDirectory(try Samples.single(scratch))
    var changes = CheckpointChanges()
    changes.replacement = { $0 == "b" ? [-0.0, 0.1] : nil }
    try CheckpointWriter.write(model, changes, to: scratch.path("out"))
    let written = try ModelDirectory(scratch.path("out"))
    #expect(written.tensors.description(of: "b") == Samples.description([2], .float16))
    #expect(try written.tensors.bytes("b") == [0, 0, 0x66, 0x2E])  // 0.1 is nearest to 0x2E66.
    #expect(try written.tensors.bytes("a") == model.tensors.bytes("a"))
  }

  @Test("tensors are left out, renamed and reshaped")
  func structure() throws {
    let scratch = try ScratchDirectory()
    let model = try ModelDirectory(try Samples.single(scratch, ["a", "b", "c"]))
    var changes = CheckpointChanges()
    changes.removed = ["a"]
    changes.renamed = ["b": "a"]
    changes.shapes = ["c": [1, 3]]
    changes.replacement = { $0 == "c" ? [1, 2, 3] : nil }
    try CheckpointWriter.write(model, changes, to: scratch.path("out"))
    let written = try ModelDirectory(scratch.path("out")).tensors
    #expect(written.names == ["a", "c"])
    #expect(try written.bytes("a") == model.tensors.bytes("b"))
    #expect(written.description(of: "c")?.shape == [1, 3])
    #expect(try written.floats("c") == [1, 2, 3])
  }

  @Test("a configuration is changed without touching what is not named")
  func configuration() throws {
    let scratch = try ScratchDirectory()
    let path = try Samples.single(
      scratch,
      configuration: #"{"z": 1.50, "model_type": "x", "n": 1, "odd": [1e5, null]}"#
    )
    var changes = CheckpointChanges()
    changes.configuration.assigned = [.init("n", 7), .init("new", ["k": true])]
    changes.configuration.removed = ["model_type", "absent"]
    try CheckpointWriter.write(try ModelDirectory(path), changes, to: scratch.path("out"))
    let expected = """
      {
        "z": 1.50,
        "n": 7,
        "odd": [
          1e5,
          null
        ],
        "new": {
          "k": true
        }
      }

      """
    #expect(try scratch.read("out/config.json") == Array(expected.utf8))
  }

  @Test("sharding is kept, with a new index")
  func sharded() throws {
    let scratch = try ScratchDirectory()
    let model = try ModelDirectory(try Samples.sharded(scratch))
    var changes = CheckpointChanges()
    changes.removed = ["c"]
    try CheckpointWriter.write(model, changes, to: scratch.path("out"))
    let expected = """
      {
        "metadata": {
          "total_size": 8
        },
        "weight_map": {
          "a": "model-00001-of-00002.safetensors",
          "b": "model-00002-of-00002.safetensors"
        }
      }

      """
    #expect(try scratch.read("out/model.safetensors.index.json") == Array(expected.utf8))
    let written = try ModelDirectory(scratch.path("out"))
    #expect(written.layout.fileOfTensor["b"] == "model-00002-of-00002.safetensors")
    #expect(written.tensors.names == ["a", "b"])
  }

  @Test("PyTorch weights become safetensors, sharded or not")
  func torch() throws {
    let scratch = try ScratchDirectory()
    try scratch.write("in/config.json", "{}")
    let archive = try MappedFile(try Samples.golden("pytorch_model.bin")).copy()
    try scratch.write("in/pytorch_model.bin", archive)
    let model = try ModelDirectory(scratch.path("in"))
    try CheckpointWriter.write(model, CheckpointChanges(), to: scratch.path("out"))
    #expect(try scratch.names(in: "out") == ["config.json", "model.safetensors"])
    #expect(try ModelDirectory(scratch.path("out")).fingerprint() == model.fingerprint())

    try FileManager.default.moveItem(
      atPath: scratch.path("in/pytorch_model.bin"),
      toPath: scratch.path("in/pytorch_model-1.bin")
    )
    let map = JSONValue.object(
      model.tensors.names.reduce(into: JSONObject()) {
        $0[JSONText(utf8: $1.utf8)] = "pytorch_model-1.bin"
      }
    )
    try scratch.write(
      "in/pytorch_model.bin.index.json",
      JSONWriter.write(["weight_map": map])
    )
    try CheckpointWriter.write(
      try ModelDirectory(scratch.path("in")),
      CheckpointChanges(),
      to: scratch.path("out2")
    )
    #expect(
      try scratch.names(in: "out2") == [
        "config.json", "model-00001-of-00001.safetensors", "model.safetensors.index.json",
      ]
    )
    #expect(try ModelDirectory(scratch.path("out2")).fingerprint() == model.fingerprint())
  }

  @Test("a tied head is written once, an untied one is kept", arguments: [true, false])
  func tied(ties: Bool) throws {
    let scratch = try ScratchDirectory()
    let names: [TensorName] = ["lm_head.weight", "model.embed_tokens.weight"]
    let path = try Samples.single(
      scratch,
      names,
      configuration: #"{"tie_word_embeddings": \#(ties)}"#
    )
    try CheckpointWriter.write(
      try ModelDirectory(path),
      CheckpointChanges(),
      to: scratch.path("out")
    )
    let written = try ModelDirectory(scratch.path("out")).tensors.names
    #expect(written == (ties ? ["model.embed_tokens.weight"] : names))
  }

  @Test("a tied head that stands alone is kept")
  func lonelyHead() throws {
    let scratch = try ScratchDirectory()
    let path = try Samples.single(
      scratch,
      ["lm_head.weight"],
      configuration: #"{"tie_word_embeddings": true}"#
    )
    try CheckpointWriter.write(
      try ModelDirectory(path),
      CheckpointChanges(),
      to: scratch.path("out")
    )
    #expect(try ModelDirectory(scratch.path("out")).tensors.names == ["lm_head.weight"])
  }

  @Test("the same input gives the same bytes")
  func deterministic() throws {
    let scratch = try ScratchDirectory()
    let model = try ModelDirectory(try Samples.sharded(scratch))
    for output in ["one", "two"] {
      try CheckpointWriter.write(model, CheckpointChanges(), to: scratch.path(output))
    }
    let names = try scratch.names(in: "one")
    #expect(try scratch.names(in: "two") == names)
    for name in names { #expect(try scratch.read("one/" + name) == scratch.read("two/" + name)) }
  }

  @Test("whatever fails, nothing is left and a former output stays")
  func failures() throws {
    let scratch = try ScratchDirectory()
    let model = try ModelDirectory(try Samples.single(scratch))
    try CheckpointWriter.write(model, CheckpointChanges(), to: scratch.path("out"))
    let before = try scratch.read("out/model.safetensors")
    func expectFailure(_ change: (inout CheckpointChanges) -> Void) throws {
      var changes = CheckpointChanges()
      change(&changes)
      for output in ["out", "other"] {
        #expect(throws: (any Error).self) {
          try CheckpointWriter.write(model, changes, to: scratch.path(output), overwrite: true)
        }
      }
      #expect(try scratch.names() == ["in", "out"])
      #expect(try scratch.read("out/model.safetensors") == before)
    }
    try expectFailure { $0.replacement = { _ in throw CancellationError() } }
    try expectFailure { $0.replacement = { _ in [1] } }
    try expectFailure { $0.replacement = { _ in [.nan, 1] } }
    try expectFailure { $0.replacement = { _ in [70000, 1] } }
    try expectFailure { $0.shapes = ["a": [3]] }
    try expectFailure { $0.shapes = ["none": [3]] }
    try expectFailure { $0.removed = ["none"] }
    try expectFailure { $0.renamed = ["a": "b"] }
    for name in ["config.json", "model.safetensors", "../x", "a/b", "", "pytorch_model.bin"] {
      try expectFailure { $0.extraFiles = [name: []] }
    }
    #expect(throws: CheckpointError.self) {
      try CheckpointWriter.write(model, CheckpointChanges(), to: scratch.path("out"))
    }
    #expect(throws: CheckpointError.self) {
      try CheckpointWriter.write(model, CheckpointChanges(), to: model.path, overwrite: true)
    }
    try CheckpointWriter.write(
      model,
      CheckpointChanges(),
      to: scratch.path("out"),
      overwrite: true
    )
    #expect(try scratch.names() == ["in", "out"])
  }
}
