import Checkpoint
import ExactJSON
import Foundation
import LinearAlgebra
import Report
import Tensors
import Transformer

/// What a model is, and what a calibration of it will need.
public struct Inspection: Sendable {
  let name: String
  let modelType: String
  let decoder: DecoderDescription
  let linears: [LinearDescription]
  let elementType: String
  let parameters: Int
  let layout: String
  /// What a calibration will need.
  public let demand: CalibrationDemand
}

/// Looks at a model without computing anything but a short measurement of the machine.
///
/// - Parameters:
///   - model: A directory, or `org/name` in the local Hugging Face cache.
///   - samples: The calibration windows to plan for.
///   - length: Their tokens; 2048 or what the model takes if nil.
/// - Returns: What was found.
/// - Throws: What opening a model throws.
public func inspect(model: String, samples: Int = 128, length: Int? = nil) throws -> Inspection {
  let opened = try OpenedModel(model)
  let demand = CalibrationDemand(
    of: opened.model,
    samples: samples,
    length: length ?? opened.usualLength,
    rate: measuredRate()
  )
  return Inspection(
    name: opened.name,
    modelType: opened.configuration.modelType,
    decoder: opened.model.decoder,
    linears: opened.model.linears,
    elementType: opened.elementType,
    parameters: opened.parameters,
    layout: opened.directory.layout.text,
    demand: demand
  )
}

extension OpenedModel {
  /// The number of elements of all tensors; tied ones count once.
  var parameters: Int {
    let tensors = directory.tensors
    return tensors.names.reduce(0) { $0 + (tensors.description(of: $1)?.count ?? 0) }
  }

  /// How the first linear layer is stored.
  var elementType: String {
    let first = model.linears.first.flatMap { directory.tensors.description(of: $0.weight) }
    return first?.elementType.rawValue ?? "?"
  }
}

/// The multiply-add rate of single precision products on this machine, in operations a second.
private func measuredRate() -> Double {
  let order = 1024
  let factor = Matrix<Float>(rows: order, columns: order, repeating: 1)
  var product = Matrix<Float>(rows: order, columns: order)
  var best = Duration.seconds(3600)
  for _ in 0..<4 {
    best = min(
      best,
      ContinuousClock().measure { multiplyTiled(factor.view, factor.view, into: &product) }
    )
  }
  let seconds =
    Double(best.components.seconds) + Double(best.components.attoseconds) * 1e-18
  return 2 * Double(order) * Double(order) * Double(order) / max(seconds, 1e-9)
}

extension Inspection {
  private var prunable: Int { linears.reduce(0) { $0 + $1.outputs * $1.inputs } }

  /// The facts and the table of linear layers for a person.
  public func text(columns: Int, isTerminal: Bool) -> String {
    let heads =
      decoder.heads == decoder.keyValueHeads
      ? "\(decoder.heads) heads" : "\(decoder.heads) heads in \(decoder.keyValueHeads) groups"
    let facts = [
      ("model", "\(name) (\(modelType), \(elementType), \(layout))"),
      (
        "shape",
        "\(decoder.blocks) blocks, hidden \(decoder.hiddenSize), feed-forward \(decoder.innerSize), "
          + "\(heads) of \(decoder.headSize)"
      ),
      ("vocabulary", "\(decoder.vocabulary)\(decoder.isTied ? ", output head tied" : "")"),
      ("parameters", Quantity.count(parameters)),
      (
        "prunable",
        "\(Quantity.count(prunable)) weights in \(linears.count) linear layers "
          + "(\(Quantity.percent(Double(prunable) / Double(max(1, parameters)))))"
      ),
    ]
    let lines = facts.map { key, value in
      key + String(repeating: " ", count: 12 - key.count) + value
    }
    let style = TerminalStyle(columns: columns, isTerminal: isTerminal)
    return lines.joined(separator: "\n") + "\n\n" + kinds.text(style: style) + "\n" + demand.text
  }

  private var kinds: TextTable {
    var table = TextTable(
      title: "Linear layers of one block",
      columns: [
        .init("layer", .left), .init("outputs"), .init("inputs"), .init("bias", .left),
        .init("weights"), .init("shares input with", .left),
      ]
    )
    for linear in linears where linear.block == 0 {
      let partners = linears.filter {
        $0.block == 0 && $0.inputGroup == linear.inputGroup && $0.kind != linear.kind
      }
      table.add([
        linear.kind, String(linear.outputs), String(linear.inputs), linear.hasBias ? "yes" : "no",
        Quantity.grouped(linear.outputs * linear.inputs),
        partners.map(\.kind).joined(separator: ", "),
      ])
    }
    return table
  }

  /// The same as a JSON document.
  public var json: String {
    let document: JSONValue = [
      "model": JSONValue(name), "family": JSONValue(modelType),
      "elementType": JSONValue(elementType), "blocks": JSONValue(decoder.blocks),
      "hiddenSize": JSONValue(decoder.hiddenSize), "innerSize": JSONValue(decoder.innerSize),
      "heads": JSONValue(decoder.heads), "keyValueHeads": JSONValue(decoder.keyValueHeads),
      "vocabulary": JSONValue(decoder.vocabulary), "parameters": JSONValue(parameters),
      "prunableWeights": JSONValue(prunable), "calibration": demand.json,
      "layers": .array(
        linears.map { linear in
          [
            "name": JSONValue(linear.name), "block": JSONValue(linear.block),
            "kind": JSONValue(linear.kind), "outputs": JSONValue(linear.outputs),
            "inputs": JSONValue(linear.inputs), "bias": .bool(linear.hasBias),
          ]
        }
      ),
    ]
    return String(decoding: JSONWriter.write(document, indent: 2).dropLast(), as: UTF8.self)
  }
}
