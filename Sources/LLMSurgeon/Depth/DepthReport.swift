import ExactJSON
public import Export
import Foundation
import Report
import Transformer

/// What became of a model from which blocks or parts were removed.
public struct DepthReport: Sendable {
  /// The name of the report in a checkpoint directory.
  static let fileName = "surgeon-depth.json"

  /// A size before and after.
  public struct Change: Sendable, Equatable {
    /// That of the model as it came.
    public let before: Int
    /// That of the written model.
    public let after: Int
  }

  /// The sizes of a checkpoint.
  public struct Sizes: Sendable, Equatable {
    /// The elements of all tensors; tied ones count once.
    public let parameters: Change
    /// The bytes of the weight files.
    public let bytes: Change
    /// The bytes that the keys and values of one token take, in the checkpoint's element type.
    public let keyValueBytesPerToken: Change
  }

  /// The mean cross entropy on the windows, in nats per predicted token.
  public struct Losses: Sendable, Equatable {
    /// That of the model as it came.
    public let before: Double
    /// That of the written model.
    public let after: Double
    let windows: TokenWindows
  }

  /// The model's name for reports.
  let model: String
  /// The fingerprint of the model that the numbers of blocks refer to.
  let fingerprint: String
  let options: DepthPruneOptions
  /// The units in the order in which they went, in the source's numbering from 0.
  public let removed: [DepthUnit]
  /// What runs of the source.
  let mask: DepthMask
  /// The shapes that were written.
  public let profile: Profile
  /// The sizes before and after.
  public let sizes: Sizes
  /// The losses, where there were tokens.
  public let losses: Losses?
  /// What a person should know of the result, a line each.
  let notes: [String]

  /// The blocks of which something is left, in the source's numbering; block `i` of the result is
  /// the `i`-th of them.
  public var kept: [Int] { mask.running }
}

extension DepthReport {
  /// The blocks from which something is gone, by what is gone.
  private var dropped: [(name: String, blocks: [Int])] {
    let all = 0..<mask.count
    let whole = all.filter { mask[$0].isEmpty }
    return [
      ("blocks", whole),
      ("attention", all.filter { mask[$0] == .feedForward }),
      ("feed-forward", all.filter { mask[$0] == .attention }),
    ]
  }

  /// The bytes that are written beside a checkpoint.
  var file: [UInt8] { Array((json + "\n").utf8) }

  /// The report as a JSON document without a final newline.
  public var json: String {
    func list(_ numbers: [Int]) -> JSONValue { .array(numbers.map { JSONValue($0) }) }
    func change(_ change: Change) -> JSONValue {
      ["before": JSONValue(change.before), "after": JSONValue(change.after)]
    }
    var object = JSONObject()
    object["formatVersion"] = 1
    object["model"] = JSONValue(model)
    object["sourceFingerprint"] = JSONValue(fingerprint)
    object["structure"] = JSONValue("\(options.structure)")
    object["by"] = JSONValue(criterion)
    object["isIterative"] = .bool(options.isIterative)
    object["emulation"] = JSONValue("\(options.emulation)")
    object["profile"] = JSONValue(profile.rawValue)
    object["removed"] = .array(removed.map(\.json))
    object["keptBlocks"] = list(kept)
    object["dropped"] = .object(
      dropped.reduce(into: JSONObject()) { $0[JSONText($1.name)] = list($1.blocks) }
    )
    object["parameters"] = change(sizes.parameters)
    object["bytes"] = change(sizes.bytes)
    object["keyValueBytesPerToken"] = change(sizes.keyValueBytesPerToken)
    if let losses { object["loss"] = losses.json }
    return String(decoding: JSONWriter.write(.object(object), indent: 2), as: UTF8.self)
      .trimmingSuffix("\n")
  }

  private var criterion: String {
    if case .blocks = options.amount { "list" } else { options.criterion.name }
  }

  /// Lines for a person, without a final newline.
  public var text: String {
    func list(_ blocks: [Int]) -> String {
      blocks.isEmpty ? "none" : blocks.map(String.init).joined(separator: " ")
    }
    func change(_ change: Change, _ text: (Int) -> String) -> String {
      let share = change.before == 0 ? 0 : 1 - Double(change.after) / Double(change.before)
      return
        "\(text(change.before)) → \(text(change.after)) (\(Quantity.percent(max(0, share))) saved)"
    }
    var lines = [
      ("model", model),
      (
        "removed", "\(options.structure) by \(criterion)\(options.isIterative ? ", iterative" : "")"
      ),
      ("kept blocks", "\(list(kept)) (numbered from 0)"),
    ]
    lines += dropped.filter { !$0.blocks.isEmpty }.map { ("dropped \($0.name)", list($0.blocks)) }
    lines += [
      ("parameters", change(sizes.parameters, Quantity.count)),
      ("weight files", change(sizes.bytes, Quantity.bytes)),
      ("KV per token", change(sizes.keyValueBytesPerToken, Quantity.bytes)),
      ("profile", profile.rawValue),
    ]
    if let losses {
      let (before, after) = (exp(losses.before), exp(losses.after))
      let figures = "\(Quantity.figure(before, digits: 4)) → \(Quantity.figure(after, digits: 4))"
      lines.append(("perplexity", "\(figures) on \(losses.windows.source)"))
    }
    let width = (lines.map(\.0.count).max() ?? 0) + 2
    return lines.map { $0 + String(repeating: " ", count: width - $0.count) + $1 }
      .joined(separator: "\n")
  }
}

extension DepthReport.Losses {
  fileprivate var json: JSONValue {
    [
      "before": JSONValue(before), "after": JSONValue(after), "unit": "nats per token",
      "windows": JSONValue(windows.count), "length": JSONValue(windows.length),
      "source": JSONValue(windows.source), "windowsFingerprint": JSONValue(windows.fingerprint),
    ]
  }
}
