import ExactJSON
import Foundation
import TestKit
import Testing

@Suite("Retraining and reconstruction")
struct RetrainTests {
  /// The embedded model, pruned by magnitude.
  private func prune(to output: String) throws {
    try Surgeon.succeed([
      "prune", Embedded.model, "--structure", "2:4", "--method", "magnitude", "--profile", "masked",
      "--output", output, "--quiet",
    ])
  }

  /// What differs between two folders of files.
  private func differences(_ scratch: ScratchDirectory, _ left: String, _ right: String) throws
    -> [String]
  {
    let names = Set(try scratch.names(in: left)).union(try scratch.names(in: right))
    return names.filter { name in
      let first = try? scratch.read("\(left)/\(name)")
      return first == nil || first != (try? scratch.read("\(right)/\(name)"))
    }.sorted()
  }

  @Test("a retrained model has the same bytes on any number of threads, and a page")
  func retrain() throws {
    let scratch = try ScratchDirectory()
    try prune(to: scratch.path("pruned"))
    func command(_ name: String, threads: Int) -> [String] {
      [
        "retrain", scratch.path("pruned"), "--text", Embedded.text, "--length", "64", "--batch",
        "3", "--train", "norms,mask-lora", "--steps", "3", "--learning-rate", "1e-3", "--rank",
        "4", "--held-out-text", Embedded.text, "--held-out-windows", "2", "--threads",
        "\(threads)", "--output", scratch.path(name), "--html", scratch.path("\(name).html"),
      ]
    }
    let one = try Surgeon.succeed(command("one", threads: 1))
    try Surgeon.succeed(command("three", threads: 3))
    #expect(try differences(scratch, "one", "three") == [])
    #expect(try scratch.read("one.html") == scratch.read("three.html"))
    #expect(one.standardOutput.contains("values trained"))
    #expect(one.standardError.contains("step 3 of 3: loss"))
    let report = try JSONParser.parse(try scratch.read("one/surgeon-retraining.json"))
    #expect(report["zerosAfter"] == report["zerosBefore"])
    #expect(report["course"]?["losses"]?.array?.count == 3)
    #expect(try scratch.names(in: "one").contains("surgeon-report.json"))
  }

  @Test("a reconstructed model has the same bytes on any number of threads")
  func reconstruct() throws {
    let scratch = try ScratchDirectory()
    try prune(to: scratch.path("pruned"))
    for (window, groups) in [("parts", "norms,spp"), ("matrix", "full")] {
      for threads in [1, 3] {
        try Surgeon.succeed([
          "reconstruct", scratch.path("pruned"), "--dense", Embedded.model, "--text",
          Embedded.text, "--samples", "3", "--length", "32", "--window", window, "--train", groups,
          "--steps", "2", "--threads", "\(threads)", "--overwrite", "--output",
          scratch.path("\(threads)"),
        ])
      }
      #expect(try differences(scratch, "1", "3") == [])
    }
  }

  @Test("a model without some blocks has the same bytes on any number of threads, and no times")
  func chop() throws {
    let scratch = try ScratchDirectory()
    func command(_ name: String, threads: Int) -> [String] {
      [
        "chop", Embedded.model, "--text", Embedded.text, "--length", "64", "--batch", "3",
        "--remove", "2", "--scheme", "max-gap", "--steps", "2", "--steps-before", "1",
        "--distill-logits", "0.5", "--distill-hidden", "0.1", "--held-out-text", Embedded.text,
        "--held-out-windows", "2", "--query", "4+2", "--threads", "\(threads)", "--output",
        scratch.path(name), "--html", scratch.path("\(name).html"),
      ]
    }
    let one = try Surgeon.succeed(command("one", threads: 1))
    let three = try Surgeon.succeed(command("three", threads: 3) + ["--json"])
    #expect(try differences(scratch, "one", "three") == [])
    #expect(try scratch.read("one.html") == scratch.read("three.html"))
    #expect(one.standardOutput.contains("kept blocks") && one.standardOutput.contains("break-even"))
    #expect(one.standardError.contains("removed blocks 1 4 after step 1: held-out perplexity"))
    let printed = try JSONParser.parse(Array(three.standardOutput.utf8))
    #expect(try #require(printed["timing"]?["trainingSeconds"]?.double) > 0)
    // The report of a checkpoint is the one that was written with it.
    for place in ["one", "one/surgeon-chop.json"] {
      let text = try Surgeon.succeed([
        "report", scratch.path(place), "--html", scratch.path("again.html"), "--json",
        scratch.path("again.json"),
      ])
      #expect(text.standardOutput == "")
      #expect(try scratch.read("again.html") == scratch.read("one.html"))
      #expect(try scratch.read("again.json") == scratch.read("one/surgeon-chop.json"))
    }
    let text = try Surgeon.succeed(["report", scratch.path("one")]).standardOutput
    #expect(text.contains("kept blocks") && !text.contains("break-even"))
    try Surgeon.succeed(["evaluate", scratch.path("one"), "--text", Embedded.text, "--length", "8"])
  }

  @Test("blocks that must stay are named, and nothing is written")
  func mustStay() throws {
    let scratch = try ScratchDirectory()
    let command = [
      "chop", Embedded.model, "--text", Embedded.text, "--length", "16", "--output",
      scratch.path("out"),
    ]
    try expectFailure(command + ["--blocks", "0,2"], saying: "block 0", "first")
    try expectFailure(command + ["--remove", "6"], saying: "6")
    try expectFailure(
      command + ["--remove", "2", "--every", "600", "--steps", "100"],
      saying: "--steps"
    )
    #expect(try scratch.names() == [])
  }

  @Test("plain LoRA on a pruned model fails with one line that says what to do")
  func refused() throws {
    let scratch = try ScratchDirectory()
    try prune(to: scratch.path("pruned"))
    try expectFailure(
      [
        "retrain", scratch.path("pruned"), "--text", Embedded.text, "--length", "32", "--train",
        "lora", "--output", scratch.path("out"),
      ],
      saying: "plain LoRA",
      "mask-lora"
    )
    #expect(try scratch.names() == ["pruned"])
  }
}
