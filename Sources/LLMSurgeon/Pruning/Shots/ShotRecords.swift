import Curvature
import Foundation
import MessagePassing
import Pruning
import Report
import Safetensors
import Tensors
import Transformer

/// The files in which each shot leaves its result, so that a run can continue after it.
struct ShotFiles {
  /// The unfinished folder of the run.
  let folder: URL
  /// The processes that make the shots together; nil for one.
  var ranks: (any RankGroup)?

  /// The weights after a shot, single precision, under the model's tensor names.
  func weights(_ shot: Int) -> URL { folder.appending(path: "shot-\(shot).safetensors") }

  /// The report as far as it goes after a shot.
  func report(_ shot: Int) -> URL { folder.appending(path: "shot-\(shot).json") }

  /// The statistics from which a shot is made.
  ///
  /// What another number of processes has begun is of no use: its sums are others.
  func statistics(_ shot: Int) -> URL {
    let suffix = ranks.map { ".\($0.count)-ranks" } ?? ""
    return folder.appending(path: "statistics-\(shot)\(suffix)", directoryHint: .isDirectory)
  }

  /// The statistics of a shot that are complete, whoever has made them.
  func completeStatistics(_ shot: Int) -> URL? {
    allStatistics(shot).first {
      let manifest = $0.appending(path: StatisticsManifest.fileName)
      return FileManager.default.fileExists(atPath: manifest.path)
    }
  }

  /// Removes the statistics of a shot that other numbers of processes have begun.
  func removeOtherStatistics(_ shot: Int) {
    let own = statistics(shot).lastPathComponent
    for url in allStatistics(shot) where url.lastPathComponent != own {
      try? FileManager.default.removeItem(at: url)
    }
  }

  private func allStatistics(_ shot: Int) -> [URL] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let name = "statistics-\(shot)"
    return names.sorted().filter { $0 == name || $0.hasPrefix("\(name).") }.map {
      folder.appending(path: $0, directoryHint: .isDirectory)
    }
  }

  /// The work of a shot that is not complete.
  func journal(_ shot: Int) -> ShotJournal {
    ShotJournal(
      folder: folder.appending(path: "work-\(shot)", directoryHint: .isDirectory),
      ranks: ranks
    )
  }

  /// The last shot, up to `limit`, that is complete; zero if none is.
  func lastComplete(_ limit: Int) -> Int {
    stride(from: limit, to: 0, by: -1).first {
      FileManager.default.fileExists(atPath: weights($0).path)
    } ?? 0
  }

  /// Removes what only an earlier shot needed.
  func clear(before shot: Int) {
    let others = [weights(shot - 1), report(shot - 1), journal(shot).folder]
    for url in others + allStatistics(shot) { try? FileManager.default.removeItem(at: url) }
  }

  /// Writes the result of a shot; the weights last, which makes it complete.
  func save(_ shot: Int, _ weights: RepairedWeights, report: PruningReport) throws {
    try write(try report.json(), to: self.report(shot).path)
    let tensors = try weights.names.map { name in
      SafetensorsWriter.Tensor(
        name,
        try weights.existing(name),
        floats: { try weights.floats(name) }
      )
    }
    try SafetensorsWriter.write(tensors, to: self.weights(shot).path)
  }
}

extension PruningReport {
  /// Adds what a shot did to the records; losses of several shots add up.
  mutating func add(
    _ shot: ShotRecord,
    _ plan: PruningPlan,
    _ figures: [LayerFigures],
    before: [LayerDescription]
  ) {
    shots.append(shot)
    for (index, figures) in figures.enumerated() {
      let mask = figures.mask
      layers[index].rowsKept = mask.rowsInUse
      layers[index].columnsKept = mask.columnsInUse
      layers[index].weightsKept = mask.keptWeights
      layers[index].predictedRise += plan.predictedRise(of: index, figures)
      layers[index].lossZeroedOnly += figures.lossZeroedOnly ?? 0
      layers[index].lossRepaired += figures.lossRepaired ?? 0
      layers[index].outputErrorZeroed = figures.outputErrors?.zeroedOnly
      layers[index].outputError = figures.outputErrors?.repaired
      layers[index].dampingActivations = figures.damping.activations
      layers[index].dampingGradients = figures.damping.gradients
      layers[index].dampingRaised += figures.timesDampingRaised
      if figures.timesDampingRaised > 0 {
        notes.append(
          "shot \(shot.number): the damping of \(layers[index].name) was raised tenfold "
            + "\(figures.timesDampingRaised) times"
        )
      }
      if mask.keptWeights == 0, before[index].mask.keptWeights > 0 {
        notes.append("shot \(shot.number): \(layers[index].name) lost all its weights")
      }
    }
  }
}

extension PruningPlan {
  /// Whether the rise is predicted by what each removal cost when it was chosen.
  ///
  /// After exchanges other weights are removed than were chosen.
  var isPredictedByCosts: Bool {
    settings.method.pricesLosses && (settings.exchanges == 0 || !settings.method.repairs)
  }

  /// The predicted rise of a layer, in nats per token: what the removals cost when they were chosen, or
  /// else the quadratic loss of the weights that are left; 0 without curvature.
  func predictedRise(of index: Int, _ figures: LayerFigures) -> Double {
    isPredictedByCosts ? layers[index].predictedCost : figures.lossRepaired ?? 0
  }
}

extension LayerMask {
  /// The rows that have a weight left.
  var rowsInUse: Int {
    guard let keptElements else { return keptColumns.population == 0 ? 0 : keptRows.population }
    return keptRows.indices.count { row in
      (0..<inputs).contains { keptElements[row * inputs + $0] }
    }
  }

  /// The columns that have a weight left.
  var columnsInUse: Int {
    guard let keptElements else { return keptRows.population == 0 ? 0 : keptColumns.population }
    return keptColumns.indices.count { column in
      (0..<outputs).contains { keptElements[$0 * inputs + column] }
    }
  }
}
