import ExactJSON
import Foundation
import LLMSurgeon
import Safetensors
import Tensors
import TestKit
import Testing

/// A small random model with what the reference implementation computes from it in double precision.
struct Fixture {
  /// One family each, and one with a PyTorch archive; `Golden/README.md` says where they come from.
  static let names = ["opt", "opt-bin", "llama", "llama3"]

  let name: String
  let url: URL

  init(_ name: String) throws {
    let root = try #require(Bundle.module.resourceURL)
    self.name = name
    url = root.appending(path: "Golden").appending(path: name)
  }

  /// What is expected; also a token file, because it holds a tensor `tokens`.
  var expectedURL: URL { url.appending(path: "expected.safetensors") }
  var input: TokenInput { .tokens(expectedURL) }

  func expected() throws -> SafetensorsFile { try SafetensorsFile(path: expectedURL.path) }

  /// The statistics of the model on its tokens, which are made when they are missing.
  func statistics(in scratch: ScratchDirectory) throws -> URL {
    let statistics = scratch.url("statistics")
    if !FileManager.default.fileExists(atPath: statistics.path) { try calibrate(into: statistics) }
    return statistics
  }

  /// Calibrates the model on its tokens.
  @discardableResult
  func calibrate(
    into output: URL,
    labels: CalibrationLabels = .empirical,
    progress: any ProgressListener = SilentProgress()
  ) throws -> CalibrationSummary {
    try LLMSurgeon.calibrate(
      CalibrationOptions(model: url.path, input: input, labels: labels, output: output),
      progress: progress
    )
  }
}

extension ScratchDirectory {
  /// A place in the directory.
  func url(_ name: String) -> URL { URL(filePath: path(name)) }
}

/// All files below a folder, by their paths in it.
func tree(_ folder: URL) throws -> [String: [UInt8]] {
  let manager = FileManager.default
  return try manager.subpathsOfDirectory(atPath: folder.path).reduce(into: [:]) { files, name in
    let url = folder.appending(path: name)
    let isDirectory = (try? manager.contentsOfDirectory(atPath: url.path)) != nil
    if !isDirectory { files[name] = [UInt8](try Data(contentsOf: url)) }
  }
}

/// The names of files that differ or that only one folder has.
func differences(_ left: URL, _ right: URL) throws -> [String] {
  let (first, second) = (try tree(left), try tree(right))
  try #require(!first.isEmpty)
  return Set(first.keys).union(second.keys).filter { first[$0] != second[$0] }.sorted()
}

/// Reads a JSON file.
func json(_ url: URL) throws -> JSONValue {
  try JSONParser.parse([UInt8](try Data(contentsOf: url)))
}

/// `‖left − right‖ / ‖right‖` in the Frobenius norm.
func relativeError(_ left: [Float], _ right: [Float]) -> Double {
  guard left.count == right.count else { return .infinity }
  var (difference, size) = (0.0, 0.0)
  for (first, second) in zip(left, right) {
    difference += Double(first - second) * Double(first - second)
    size += Double(second) * Double(second)
  }
  return (difference / size).squareRoot()
}
