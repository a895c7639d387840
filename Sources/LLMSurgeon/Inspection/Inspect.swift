import Checkpoint
import ExactJSON
import Foundation
import LinearAlgebra
import Report
import Tensors
import Transformer

/// What a model is, and what a calibration and a pruning of it will need.
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
  /// What prunings will need beside it.
  public let prunings: [PruningDemand]
}

/// Looks at a model, and measures a part of a calibration if one is planned.
///
/// - Parameters:
///   - model: A directory, or `org/name` in the local Hugging Face cache.
///   - plan: The calibration windows to plan for; nil for the usual ones, of which nothing is measured.
///   - precision: How hidden states are kept between the passes.
///   - progress: Hears how the measurement goes on.
/// - Returns: What was found.
/// - Throws: What opening a model throws.
public func inspect(
  model: String,
  plan: WindowChoice? = nil,
  precision: ScratchPrecision = .float32,
  progress: any ProgressListener = SilentProgress()
) throws -> Inspection {
  let opened = try OpenedModel(model)
  let samples = plan?.samples ?? 128
  let length = plan?.length ?? opened.usualLength
  let footprint = CalibrationFootprint(
    of: opened.model,
    samples: samples,
    length: length,
    precision: precision
  )
  // What does not fit cannot be tried.
  let isMeasured = plan != nil && footprint.working <= Double(CalibrationMemory().bytes)
  let rates = try ComputingRates.measured()
  let probe = CalibrationProbe(model: opened.model, samples: samples, length: length)
  let demand = CalibrationDemand(
    of: opened.model,
    samples: samples,
    length: length,
    precision: precision,
    time: isMeasured ? .seconds(try probe.seconds(progress: progress)) : .rate(rates.single)
  )
  return Inspection(
    name: opened.name,
    modelType: opened.configuration.modelType,
    decoder: opened.model.decoder,
    linears: opened.model.linears,
    elementType: opened.elementType,
    parameters: opened.parameters,
    layout: opened.directory.layout.text,
    demand: demand,
    prunings: try PruningDemand.all(
      of: opened.model,
      windows: (product(samples, length), length),
      rates: rates
    )
  )
}

/// The product of two numbers above zero, or the largest there is.
private func product(_ first: Int, _ second: Int) -> Int {
  let (result, overflows) = first.multipliedReportingOverflow(by: second)
  return overflows ? .max : result
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

extension Inspection {
  private var prunable: Int { linears.reduce(0) { $0 + $1.outputs * $1.inputs } }

  /// The facts and the table of linear layers for a person.
  public func text(columns: Int, isTerminal: Bool) -> String {
    let facts = [
      ("model", "\(name) (\(modelType), \(elementType), \(layout))"),
      (
        "shape",
        "\(decoder.blocks) blocks, hidden \(decoder.hiddenSize), "
          + "feed-forward \(range(of: \.innerSize)), \(heads) of \(decoder.headSize)"
      ),
      ("vocabulary", "\(decoder.vocabulary)\(decoder.isTied ? ", output head tied" : "")"),
      ("parameters", Quantity.count(parameters)),
      (
        "prunable",
        "\(Quantity.count(prunable)) weights in \(linears.count) linear layers "
          + "(\(Quantity.percent(Double(prunable) / Double(max(1, parameters)))))"
      ),
      (
        "computes on",
        "\(Parallelism.threads) threads with \(BLASLibrary.version), \(BLASLibrary.kernels) kernels"
      ),
    ]
    let lines = facts.map { key, value in
      key + String(repeating: " ", count: 12 - key.count) + value
    }
    let style = TerminalStyle(columns: columns, isTerminal: isTerminal)
    return lines.joined(separator: "\n") + "\n\n" + kinds.text(style: style) + "\n" + demand.text
      + "\n\n" + PruningDemand.table(prunings).text(style: style)
  }

  /// What the blocks have: one number, or the smallest and the largest.
  private func range(of size: (BlockShape) -> Int) -> String {
    Self.range(decoder.blockShapes.map(size))
  }

  private static func range(_ sizes: [Int], _ format: (Int) -> String = { String($0) }) -> String {
    guard let least = sizes.min(), let most = sizes.max() else { return "" }
    return least == most ? format(least) : "\(format(least)) to \(format(most))"
  }

  private var heads: String {
    let isGrouped = decoder.blockShapes.contains { $0.heads != $0.keyValueHeads }
    let heads = "\(range(of: \.heads)) heads"
    return isGrouped ? "\(heads) in \(range(of: \.keyValueHeads)) groups" : heads
  }

  private var kinds: TextTable {
    let isUniform = decoder.uniformShape != nil
    var table = TextTable(
      title: isUniform
        ? "Linear layers of one block" : "Linear layers of one block, smallest to largest",
      columns: [
        .init("layer", .left), .init("outputs"), .init("inputs"), .init("bias", .left),
        .init("weights"), .init("shares input with", .left),
      ]
    )
    for linear in linears where linear.block == 0 {
      let partners = linears.filter {
        $0.block == 0 && $0.inputGroup == linear.inputGroup && $0.kind != linear.kind
      }
      let alike = linears.filter { $0.role == linear.role }
      table.add([
        linear.kind, Self.range(alike.map(\.outputs)), Self.range(alike.map(\.inputs)),
        linear.hasBias ? "yes" : "no",
        Self.range(alike.map { $0.outputs * $0.inputs }, Quantity.grouped),
        partners.map(\.kind).joined(separator: ", "),
      ])
    }
    return table
  }

  /// A size that all blocks have; null where they differ.
  private func shared(_ size: (BlockShape) -> Int) -> JSONValue {
    decoder.uniformShape.map { JSONValue(size($0)) } ?? .null
  }

  /// The same as a JSON document.
  public var json: String {
    let document: JSONValue = [
      "model": JSONValue(name), "family": JSONValue(modelType),
      "elementType": JSONValue(elementType), "blocks": JSONValue(decoder.blocks),
      "hiddenSize": JSONValue(decoder.hiddenSize),
      "innerSize": shared(\.innerSize), "heads": shared(\.heads),
      "keyValueHeads": shared(\.keyValueHeads), "headSize": JSONValue(decoder.headSize),
      "blockShapes": .array(
        decoder.blockShapes.map { shape in
          [
            "heads": JSONValue(shape.heads), "keyValueHeads": JSONValue(shape.keyValueHeads),
            "innerSize": JSONValue(shape.innerSize),
          ]
        }
      ),
      "vocabulary": JSONValue(decoder.vocabulary), "parameters": JSONValue(parameters),
      "prunableWeights": JSONValue(prunable),
      "blas": [
        "library": JSONValue(BLASLibrary.version), "kernels": JSONValue(BLASLibrary.kernels),
        "threads": JSONValue(Parallelism.threads),
      ],
      "calibration": demand.json,
      "prunings": .array(prunings.map(\.json)),
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
