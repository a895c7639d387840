import ExactJSON
import Foundation
import TestKit
import Testing

@Suite("Outputs")
struct OutputTests {
  private static func calibrate(to output: String, _ more: String...) -> [String] {
    ["calibrate", Embedded.model, "--text", Embedded.text, "--output", output] + Embedded.windows
      + more
  }
  private static func prune(to output: String, _ more: String...) -> [String] {
    ["prune", Embedded.model, "--method", "magnitude", "--target", "0.5", "--output", output] + more
  }

  @Test(
    "an output that cannot be made is named",
    arguments: ["/proc/x", "/proc/x/y", "/dev/null/x"]
  )
  func unwritable(output: String) throws {
    try expectFailure(Self.calibrate(to: output), saying: output)
    try expectFailure(Self.prune(to: output), saying: output)
  }

  @Test("a file in place of the parent folder or of the output is left alone")
  func file() throws {
    let scratch = try ScratchDirectory()
    let file = try scratch.write("file", "text")
    for command in [Self.calibrate(to: file + "/out"), Self.prune(to: file + "/out")] {
      try expectFailure(command, saying: file)
    }
    for command in [Self.calibrate(to: file), Self.prune(to: file)] {
      try expectFailure(command, saying: file)
      try expectFailure(command + ["--overwrite"], saying: file)
    }
    #expect(try scratch.names() == ["file"])
    #expect(try scratch.read("file") == Array("text".utf8))
  }

  @Test("a folder with content is replaced only on demand, and only by its own kind")
  func exists() throws {
    let scratch = try ScratchDirectory()
    try scratch.write("out/precious", "text")
    for command in [Self.calibrate(to: scratch.path("out")), Self.prune(to: scratch.path("out"))] {
      try expectFailure(command, saying: "--overwrite")
      try expectFailure(command + ["--overwrite"], saying: "not replaced")
    }
    #expect(try scratch.names() == ["out"])
    #expect(try scratch.names(in: "out") == ["precious"])

    try Surgeon.succeed(Self.calibrate(to: scratch.path("statistics")))
    try Surgeon.succeed(Self.prune(to: scratch.path("pruned")))
    try expectFailure(Self.calibrate(to: scratch.path("statistics")), saying: "--overwrite")
    try expectFailure(Self.prune(to: scratch.path("pruned")), saying: "--overwrite")
    let other = scratch.path("statistics")
    try expectFailure(Self.prune(to: other, "--overwrite"), saying: "config.json")
    try expectFailure(Self.calibrate(to: scratch.path("pruned"), "--overwrite"), saying: "manifest")
    try scratch.write("statistics/block-00099.safetensors", "old")
    try Surgeon.succeed(Self.calibrate(to: scratch.path("statistics"), "--overwrite"))
    try Surgeon.succeed(Self.prune(to: scratch.path("pruned"), "--overwrite"))
    #expect(try scratch.names() == ["out", "pruned", "statistics"])
    #expect(try !scratch.names(in: "statistics").contains("block-00099.safetensors"))
  }

  @Test("the model itself is never the output")
  func model() throws {
    let scratch = try ScratchDirectory()
    let model = try Embedded.copy(to: scratch)
    let before = try scratch.names(in: "model")
    let prune = ["prune", model, "--method", "magnitude", "--target", "0.5", "--output"]
    try expectFailure(prune + [model, "--overwrite"], saying: model)
    try expectFailure(prune + [model + "/pruned"], saying: model)
    #expect(try scratch.names() == ["model"])
    #expect(try scratch.names(in: "model") == before)
  }

  @Test("an empty folder, a relative path and a trailing slash are fine")
  func places() throws {
    let scratch = try ScratchDirectory()
    try FileManager.default.createDirectory(
      atPath: scratch.path("empty"),
      withIntermediateDirectories: true
    )
    for output in ["empty", "slash/", "a/b", "./dot", "a/../up"] {
      let result = try Surgeon.run(Self.calibrate(to: output), in: scratch.path)
      #expect(result.status == 0, "\(result.standardError)")
    }
    #expect(try scratch.names() == ["a", "dot", "empty", "slash", "up"])
    #expect(try scratch.names(in: "a") == ["b"])
    #expect(try scratch.names(in: "slash").contains("manifest.json"))
    #expect(try scratch.names(in: "empty").contains("manifest.json"))
  }

  @Test("a link is followed, and one that leads nowhere is refused")
  func links() throws {
    let scratch = try ScratchDirectory()
    let manager = FileManager.default
    try manager.createDirectory(atPath: scratch.path("real"), withIntermediateDirectories: true)
    for (link, target) in [("link", "real"), ("dangling", "none")] {
      try manager.createSymbolicLink(
        atPath: scratch.path(link),
        withDestinationPath: scratch.path(target)
      )
    }
    try Surgeon.succeed(Self.calibrate(to: scratch.path("link")))
    #expect(try scratch.names(in: "real").contains("manifest.json"))
    for command in [
      Self.calibrate(to: scratch.path("dangling")), Self.prune(to: scratch.path("dangling")),
      ["export", Embedded.model, "--format", "gguf", "--output", scratch.path("dangling")],
      ["measure", Embedded.model, "--output", scratch.path("dangling")],
    ] {
      try expectFailure(command, saying: "dangling", "link")
    }
    #expect(try scratch.names() == ["dangling", "link", "real"])
  }

  @Test("JSON outputs parse and agree with the files")
  func json() throws {
    let scratch = try ScratchDirectory()
    try Embedded.calibrate(to: scratch.path("statistics"))
    func parse(_ arguments: [String]) throws -> JSONValue {
      try JSONParser.parse(Array(try Surgeon.succeed(arguments).standardOutput.utf8))
    }
    #expect(try parse(["inspect", Embedded.model, "--json"])["blocks"]?.integer == 6)
    let windows = ["--length", "8", "--windows", "2", "--json"]
    let evaluation = try parse(["evaluate", Embedded.model, "--text", Embedded.text] + windows)
    let (loss, perplexity) = (evaluation["loss"]?.double, evaluation["perplexity"]?.double)
    #expect(perplexity == loss.map { exp($0) })
    let report = try parse([
      "prune", Embedded.model, "--statistics", scratch.path("statistics"), "--structure", "2:4",
      "--steps", "1", "--repair-steps", "1", "--output", scratch.path("out"), "--json",
    ])
    #expect(report == (try JSONParser.parse(try scratch.read("out/surgeon-report.json"))))
    #expect(report["summary"]?["shareRemoved"]?.double == 0.5)
    try Surgeon.succeed([
      "report", scratch.path("out"), "--json", scratch.path("report.json"), "--html",
      scratch.path("report.html"),
    ])
    #expect(try scratch.read("report.json") == scratch.read("out/surgeon-report.json"))
    #expect(try Surgeon.succeed(["report", scratch.path("out")]).standardOutput.contains("2:4"))
  }

  @Test("a measured timing table is one that a pruning takes")
  func timing() throws {
    let scratch = try ScratchDirectory()
    let table = scratch.path("table.json")
    let measure = [
      "measure", Embedded.model, "--prompt-length", "8", "--repeats", "7", "--output", table,
    ]
    #expect(try Surgeon.succeed(measure).standardOutput.contains("neurons"))
    let prune = [
      "prune", Embedded.model, "--method", "magnitude", "--structure", "neurons,heads",
      "--target-speedup", "1.2x", "--timing-table", table, "--output", scratch.path("out"),
    ]
    #expect(try Surgeon.succeed(prune).standardOutput.contains("target 1.20"))
    try Surgeon.succeed(["report", scratch.path("out"), "--html", scratch.path("report.html")])
    let page = String(decoding: try scratch.read("report.html"), as: UTF8.self)
    #expect(page.contains("Kept heads and neurons") && page.contains("predicted speed"))
    try expectFailure(measure, saying: "exists")
    try Surgeon.succeed(measure + ["--overwrite"])
    try scratch.write("other", "{}")
    try expectFailure(
      measure.dropLast() + [scratch.path("other"), "--overwrite"],
      saying: "no timing table"
    )
    try expectFailure(prune.map { $0 == table ? scratch.path("none") : $0 }, saying: "measure")
    try expectFailure(
      prune.map { $0 == table ? scratch.path("other") : $0 },
      saying: "other",
      "format"
    )
    try expectFailure(
      prune.map { $0 == "1.2x" ? "999x" : $0 } + ["--overwrite"],
      saying: "999",
      "the most that the timing table predicts"
    )
  }

  @Test("a plan for more than any machine has is still a plan")
  func boundlessPlan() throws {
    let most = "9223372036854775807"
    let plan = ["inspect", Embedded.model, "--samples", most, "--length", most]
    try Surgeon.succeed(plan)
    try Surgeon.succeed(plan + ["--json"])
  }

  @Test("the number of threads does not change a byte")
  func threads() throws {
    let scratch = try ScratchDirectory()
    for threads in ["1", "4"] {
      let statistics = scratch.path("statistics-\(threads)")
      try Surgeon.succeed([
        "calibrate", Embedded.model, "--text", Embedded.text, "--samples", "4", "--length", "64",
        "--threads", threads, "--output", statistics,
      ])
      for (structure, target) in [("element", "0.5"), ("rows-columns", "0.3")] {
        try Surgeon.succeed([
          "prune", Embedded.model, "--statistics", scratch.path("statistics-1"), "--structure",
          structure, "--target", target, "--steps", "2", "--threads", threads, "--output",
          scratch.path("\(structure)-\(threads)"),
        ])
      }
    }
    for name in ["statistics", "element", "rows-columns"] {
      let files = try scratch.names(in: "\(name)-1")
      #expect(files == (try scratch.names(in: "\(name)-4")))
      for file in files {
        let same = try scratch.read("\(name)-1/\(file)") == scratch.read("\(name)-4/\(file)")
        #expect(same, "\(name)/\(file)")
      }
    }
  }
}
