import Checkpoint
import ExactJSON
import Foundation
import Safetensors
import Tensors
import TestKit
import Testing

/// A small model to read and change.
enum Samples {
  static func golden(_ name: String) throws -> String {
    try #require(Bundle.module.resourceURL).appending(path: "Golden/\(name)").path
  }

  static func description(_ shape: [Int], _ type: ElementType = .float32) -> TensorDescription {
    TensorDescription(elementType: type, shape: shape)
  }

  /// Writes a safetensors file whose tensors are all `[1, 2]` in half precision.
  static func weights(_ names: [TensorName], to path: String) throws {
    try SafetensorsWriter.write(
      names.map { SafetensorsWriter.Tensor($0, description([2], .float16), floats: { [1, 2] }) },
      to: path
    )
  }

  /// A model in one file with a configuration, a tokenizer and a file that does not belong to it.
  static func single(
    _ scratch: ScratchDirectory,
    _ names: [TensorName] = ["a", "b"],
    configuration: String = #"{"model_type": "x", "n": 1.50}"#
  ) throws -> String {
    try scratch.write("in/config.json", configuration)
    try scratch.write("in/tokenizer.json", "{}")
    try scratch.write("in/LICENSE.txt", "free")
    try scratch.write("in/training_args.bin", "no")
    try weights(names, to: scratch.path("in/model.safetensors"))
    return scratch.path("in")
  }

  /// A model in two files: "a" and "c" in the first, "b" in the second.
  static func sharded(_ scratch: ScratchDirectory) throws -> String {
    try scratch.write("in/config.json", "{}")
    try weights(["a", "c"], to: scratch.path("in/model-00001-of-00002.safetensors"))
    try weights(["b"], to: scratch.path("in/model-00002-of-00002.safetensors"))
    try index(scratch, ["a": "1", "b": "2", "c": "1"])
    return scratch.path("in")
  }

  /// Writes the index of ``sharded(_:)``; the values are numbers of files or whole names.
  static func index(_ scratch: ScratchDirectory, _ files: [String: String]) throws {
    let members = files.sorted { $0.key < $1.key }.map { key, file in
      file.count == 1
        ? #""\#(key)": "model-0000\#(file)-of-00002.safetensors""# : #""\#(key)": "\#(file)""#
    }
    try scratch.write(
      "in/model.safetensors.index.json",
      #"{"weight_map": {\#(members.joined(separator: ", "))}}"#
    )
  }
}
