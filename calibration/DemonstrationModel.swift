package import Foundation

/// The small trained Llama model that is built into the program, with its texts.
///
/// It and the texts, which it wrote itself, are ours; see `README.md` beside this file.
package enum DemonstrationModel {
  /// The directory, in the layout of Hugging Face.
  package static var directory: URL { Bundle.module.bundleURL.appending(path: "demo") }
  /// The text to calibrate on.
  package static var calibrationText: URL { directory.appending(path: "sampled-calibration.txt") }
  /// The text to measure perplexity on.
  package static var testText: URL { directory.appending(path: "sampled-test.txt") }
}
