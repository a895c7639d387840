import Foundation
import Glibc
import TestKit
import Testing

@Suite("Signals")
struct SignalTests {
  /// The commands that may take hours, what shows that they have begun, and whether they continue.
  struct Job: CustomTestStringConvertible {
    let words: [String]
    var output = true
    /// A file of the unfinished folder; nothing that can be continued is there before.
    var begun: String?

    var testDescription: String { words[0] }
  }

  private static let text = ["--text", Embedded.text]
  private static let training =
    text + ["--length", "256", "--train", "norms,mask-lora", "--learning-rate", "1e-3"]

  static let jobs: [Job] = [
    Job(
      words: ["calibrate", Embedded.model, "--samples", "8", "--length", "512"] + text,
      begun: "block-00004.safetensors"
    ),
    Job(
      words: [
        "prune", Embedded.model, "--samples", "8", "--length", "256", "--target", "0.3",
        "--structure", "rows-columns", "--shots", "9", "--steps", "1",
      ] + text,
      begun: "shot-1.safetensors"
    ),
    Job(
      words: ["retrain", "PRUNED", "--steps", "500", "--batch", "4"] + training,
      begun: "state-"
    ),
    Job(
      words: ["reconstruct", "PRUNED", "--dense", Embedded.model, "--steps", "50"] + training,
      begun: "window-"
    ),
    Job(
      words: ["depth", Embedded.model, "--metric", "loss", "--samples", "64", "--length", "512"]
        + text,
      output: false
    ),
    Job(words: ["evaluate", Embedded.model, "--length", "8"] + text, output: false),
    Job(words: ["measure", Embedded.model]),
  ]

  /// Whether a run has done what the next one can continue from; it has begun long before that.
  private func hasBegun(_ job: Job, _ scratch: ScratchDirectory) -> Bool {
    guard let begun = job.begun else { return true }
    let names = (try? scratch.names(in: ".out.unfinished")) ?? []
    return names.contains { $0.hasPrefix(begun) }
  }

  @Test(
    "every long command stops at a signal, says how to continue, and leaves nothing else",
    arguments: jobs,
    [SIGINT, SIGTERM]
  )
  func stops(job: Job, number: Int32) throws {
    let scratch = try ScratchDirectory()
    let pruned = try ScratchDirectory()
    if job.words.contains("PRUNED") {
      try Surgeon.succeed([
        "prune", Embedded.model, "--structure", "2:4", "--method", "magnitude", "--profile",
        "masked", "--quiet", "--output", pruned.path("model"),
      ])
    }
    let words = job.words.map { $0 == "PRUNED" ? pruned.path("model") : $0 }
    let running = try Surgeon.start(
      words + ["--threads", "2"] + (job.output ? ["--output", scratch.path("out")] : [])
    )
    while try !(hasBegun(job, scratch) && running.survives(number)) {
      try #require(running.process.isRunning, "it ended before anything was kept")
      usleep(2000)
    }
    // One that comes before the program listens is lost.
    while running.process.isRunning {
      running.send(number)
      usleep(20_000)
    }
    let output = try running.finish()
    #expect(output.status == 128 + number, "\(output.standardError)")
    let word = number == SIGINT ? "interrupted" : "terminated"
    let advice = job.begun == nil ? "" : "; give the same command again to continue"
    #expect(output.messages.last == "surgeon: \(word)\(advice)")
    #expect(try scratch.names() == (job.begun == nil ? [] : [".out.unfinished"]))
  }
}
