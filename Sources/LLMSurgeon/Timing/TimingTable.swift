public import Foundation
import Report
import Tensors
import Transformer

/// How long the parts of a model take for a prompt on some machine, by their widths.
///
/// `docs/timing-table.md` describes the file.
public struct TimingTable: Sendable, Equatable {
  /// The sizes that no width changes; a table serves all models that share them.
  struct Sizes: Sendable, Equatable {
    let hiddenSize: Int
    let headSize: Int
    let vocabulary: Int
    let isGated: Bool
  }

  /// Where and how the times were measured, for a person.
  let machine: String?
  /// The length of the prompt.
  let tokens: Int
  let sizes: Sizes
  /// The time outside of the blocks: the token embeddings and the logits; seconds.
  let rest: Double
  /// The time of a block's norms; seconds.
  let norms: Double
  /// The time of a block's queries, attention and output projection, by query heads.
  let heads: TimingCurve
  /// The time of a block's keys and values, by key and value heads.
  let keyValueHeads: TimingCurve
  /// The time of a block's feed-forward part, by neurons.
  let neurons: TimingCurve
}

extension TimingTable {
  /// Reads a table.
  ///
  /// - Parameter file: Where it lies; nothing in it is trusted.
  /// - Throws: ``JobError/unreadable(path:reason:)``, or ``JobError/badTimingTable(path:reason:)``
  ///   with the first fault.
  public init(contentsOf file: URL) throws {
    guard FileManager.default.fileExists(atPath: file.path) else {
      throw JobError.unreadable(
        path: file.relativePath,
        reason: "there is no such file; 'surgeon measure MODEL --output FILE' makes a timing table"
      )
    }
    self = try TimingTable(json: try readBytes(of: file), path: file.relativePath)
  }

  /// Refuses a place for a table where something else lies, or a table that may not be replaced.
  ///
  /// - Parameters:
  ///   - output: The file to write.
  ///   - overwrite: Whether a former table is replaced.
  /// - Throws: ``JobError`` saying what is in the way.
  public static func check(output: URL, overwrite: Bool) throws {
    guard FileManager.default.fileExists(atPath: output.path) else {
      return try checkIsNoLink(output)
    }
    guard overwrite else { throw JobError.outputExists(path: output.relativePath) }
    guard (try? TimingTable(contentsOf: output)) != nil else {
      throw JobError.outputIsForeign(path: output.relativePath, mark: "timing table")
    }
  }

  /// A line for a person.
  public var text: String {
    func line(_ curve: TimingCurve, _ name: String) -> String {
      let milliseconds = Quantity.fixed(curve.seconds(at: curve.widest) * 1000, decimals: 3)
      return "\(milliseconds) ms for \(curve.widest) \(name)"
    }
    return """
      a prompt of \(Quantity.counted(tokens, "token")) takes a block \(line(heads, "query heads")), \
      \(line(keyValueHeads, "key and value heads")), \(line(neurons, "neurons"))
      """
  }

  /// Writes the table.
  ///
  /// - Parameter file: Where to.
  /// - Throws: `FileError` if it cannot be written.
  public func write(to file: URL) throws { try LLMSurgeon.write(json, to: file.path) }

  /// What tells this table from another in what it predicts.
  var fingerprint: String {
    var hasher = ContentHasher()
    hasher.update(json)
    return hasher.finalize().description
  }

  /// Checks that the table speaks of a model like this one, and of all its widths.
  ///
  /// - Throws: ``JobError/badSetting(_:)`` naming what differs.
  func check(_ decoder: DecoderDescription) throws {
    let own = Sizes(decoder)
    guard sizes == own else {
      throw JobError.badSetting(
        "the timing table is of a model with \(sizes.text), and this one has \(own.text): "
          + "measure this model (surgeon measure)"
      )
    }
    let widths: [(String, TimingCurve, KeyPath<BlockShape, Int>)] = [
      ("query heads", heads, \.heads), ("key and value heads", keyValueHeads, \.keyValueHeads),
      ("neurons", neurons, \.innerSize),
    ]
    for (name, curve, width) in widths {
      let most = decoder.blockShapes.map { $0[keyPath: width] }.max() ?? 0
      guard curve.widest >= most else {
        throw JobError.badSetting(
          "the timing table ends at \(curve.widest) \(name), and the model has \(most): "
            + "measure this model (surgeon measure)"
        )
      }
    }
  }
}

extension TimingTable.Sizes {
  /// The sizes of a model.
  init(_ decoder: DecoderDescription) {
    self.init(
      hiddenSize: decoder.hiddenSize,
      headSize: decoder.headSize,
      vocabulary: decoder.vocabulary,
      isGated: decoder.isGated
    )
  }

  fileprivate var text: String {
    "hidden size \(hiddenSize), head size \(headSize), vocabulary \(vocabulary), "
      + (isGated ? "gated" : "no gate")
  }
}
