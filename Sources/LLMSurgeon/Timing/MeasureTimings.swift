import Foundation
import LinearAlgebra
import Transformer

/// Measures how long the parts of a model take for a prompt on this machine, at many widths.
///
/// What runs are the operations of this program's own forward pass, with made-up weights. All widths
/// are measured in turns, and of each the least time counts: whatever else the machine does only ever
/// adds to it. The time is bounded: when it is over, the turn that has begun is the last.
///
/// - Parameters:
///   - model: A directory, or `org/name` in the local Hugging Face cache.
///   - promptTokens: The tokens of the prompt, at least 1.
///   - repeats: How many turns there are at most, at least 1.
///   - seconds: How long no further turn begins after, above 0.
///   - progress: Hears how it goes on.
/// - Returns: The times.
/// - Throws: ``JobError``, or an error of the model or its files.
public func measureTimings(
  model: String,
  promptTokens: Int = 128,
  repeats: Int = 15,
  seconds: Double = 60,
  progress: any ProgressListener = SilentProgress()
) throws -> TimingTable {
  guard promptTokens >= 1, repeats >= 1, seconds > 0 else {
    throw JobError.badSetting("a timing table needs a prompt, a repeat and some time")
  }
  let opened = try OpenedModel(model)
  try opened.checkLength(prompt: promptTokens, new: 0, progress: progress)
  var trials = TimingTrials(opened.model.decoder, tokens: promptTokens)
  let head = try opened.model.loadHead()
  let clock = ContinuousClock()
  let start = clock.now
  progress.begin("measuring", total: trials.count * repeats, unit: "times")
  defer { progress.end() }
  for number in 0..<repeats where number == 0 || clock.now - start < .seconds(seconds) {
    for index in 0..<trials.count {
      trials.measure(index, head)
      progress.advance(to: number * trials.count + index + 1)
    }
  }
  return trials.table
}

/// The times of all parts at all widths, as far as they are measured.
private struct TimingTrials {
  /// A part at a width.
  private struct Trial {
    let part: BlockPart
    let width: Int
    var least = Double.infinity
  }

  private let decoder: DecoderDescription
  private let tokens: Int
  private var trials: [Trial]
  private var restLeast = Double.infinity

  init(_ decoder: DecoderDescription, tokens: Int) {
    self.decoder = decoder
    self.tokens = tokens
    let shapes = decoder.blockShapes
    func trials(_ part: BlockPart, _ width: (BlockShape) -> Int) -> [Trial] {
      widthGrid(upTo: shapes.map(width).max() ?? 1).map { Trial(part: part, width: $0) }
    }
    self.trials =
      trials(.heads, \.heads) + trials(.keyValueHeads, \.keyValueHeads)
      + trials(.neurons, \.innerSize) + [Trial(part: .norms, width: 1)]
  }

  /// The number of times that one turn measures.
  var count: Int { trials.count + 1 }

  /// Measures one of them, the last outside of the blocks.
  mutating func measure(_ index: Int, _ head: OutputHead) {
    guard index < trials.count else {
      let tokens = tokens
      restLeast = min(restLeast, secondsPerRun { head.runTrial(tokens: tokens) })
      return
    }
    let (part, width) = (trials[index].part, trials[index].width)
    var trial = BlockTrial(part, width: width, of: decoder, tokens: tokens)
    trials[index].least = min(trials[index].least, secondsPerRun { trial.run() })
  }

  /// The least times.
  var table: TimingTable {
    func curve(_ part: BlockPart) -> TimingCurve {
      TimingCurve(
        trials.filter { $0.part == part }.map {
          TimingCurve.Point(width: $0.width, seconds: $0.least)
        }
      )
    }
    return TimingTable(
      machine: "\(Parallelism.threads) threads, \(BLASLibrary.kernels) kernels of "
        + "\(BLASLibrary.version), surgeon \(Program.version)",
      tokens: tokens,
      sizes: TimingTable.Sizes(decoder),
      rest: restLeast,
      norms: curve(.norms).seconds(at: 1),
      heads: curve(.heads),
      keyValueHeads: curve(.keyValueHeads),
      neurons: curve(.neurons)
    )
  }
}

/// One and the multiples of a sixteenth of the largest width.
private func widthGrid(upTo most: Int) -> [Int] {
  let steps = 16
  let multiples = (1...steps).map { step in
    // In this order nothing overflows.
    most / steps * step + most % steps * step / steps
  }
  return Set([1] + multiples.filter { $0 > 0 }).sorted()
}

/// How long something takes, run for two milliseconds at least after one run that does not count.
///
/// Never inlined, so that the same code stands between the readings of the clock everywhere.
@inline(never)
private func secondsPerRun(_ run: () -> Void) -> Double {
  run()
  let clock = ContinuousClock()
  let start = clock.now
  var (count, seconds) = (0.0, 0.0)
  while seconds < 0.002 {
    run()
    count += 1
    seconds = (clock.now - start) / .seconds(1)
  }
  return seconds / count
}
