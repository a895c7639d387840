import ExactJSON
import Foundation
import Glibc
import TestKit
import Testing

@Suite("Generating")
struct GenerateTests {
  private static let generate = ["generate", Embedded.model, "--prompt", "The castle was built in"]

  @Test("standard output is the text alone; what JSON holds is the same continuation")
  func outputs() throws {
    let length = ["--tokens", "20", "--ignore-eos"]
    let plain = try Surgeon.succeed(Self.generate + length)
    #expect(plain.standardError.contains("tokens/s"))
    let quiet = try Surgeon.succeed(Self.generate + length + ["--quiet", "--threads", "1"])
    #expect(quiet.standardError == "")
    #expect(quiet.standardOutput == plain.standardOutput)
    let json = try Surgeon.succeed(Self.generate + length + ["--json", "--quiet"])
    let document = try JSONParser.parse(Array(json.standardOutput.utf8))
    let text = try #require(document["text"]?.string)
    #expect(plain.standardOutput == "The castle was built in\(text)\n")
    #expect(document["tokens"]?.array?.count == 20)
    #expect(document["endOfText"]?.bool == false)
  }

  @Test("draws are the same for one seed")
  func seeds() throws {
    func text(_ seed: String) throws -> String {
      let draw = ["--tokens", "16", "--temperature", "1.5", "--top-k", "50", "--seed", seed]
      return try Surgeon.succeed(Self.generate + draw).standardOutput
    }
    #expect(try text("1") == text("1"))
    #expect(try text("1") != text("2"))
    let greedy = try Surgeon.succeed(Self.generate + ["--tokens", "16", "--temperature", "0"])
    let plain = try Surgeon.succeed(Self.generate + ["--tokens", "16"])
    #expect(greedy.standardOutput == plain.standardOutput)
  }

  @Test("a model or a prompt that is not there is named")
  func missing() throws {
    let scratch = try ScratchDirectory()
    try expectFailure(["generate", "/nowhere", "--prompt", "a"], saying: "/nowhere")
    try expectFailure(
      ["generate", Embedded.model, "--prompt-tokens", "/nowhere.safetensors"],
      saying: "/nowhere.safetensors"
    )
    let file = try scratch.write("file", "no tensors")
    try expectFailure(["generate", Embedded.model, "--prompt-tokens", file], saying: file)
    try expectFailure(["generate", Embedded.model, "--prompt", ""], saying: "prompt is empty")
  }

  @Test("the speed is measured without a prompt")
  func speed() throws {
    let command = [
      "generate", Embedded.model, "--speed", "--prompt-length", "9", "--tokens", "3", "--repeats",
      "2", "--quiet",
    ]
    let text = try Surgeon.succeed(command).standardOutput
    #expect(text.contains("9 tokens") && text.contains("medians of 2 runs"))
    let json = try Surgeon.succeed(command + ["--json"]).standardOutput
    #expect(try JSONParser.parse(Array(json.utf8))["newTokens"]?.integer == 3)
  }

  @Test("interrupted, it leaves the text so far", arguments: [SIGINT, SIGTERM])
  func interruption(number: Int32) throws {
    let running = try Surgeon.start(Self.generate + ["--tokens", "1000000", "--ignore-eos"])
    while try running.standardOutput().count < 200 {
      try #require(running.process.isRunning, "it ended before there was text")
      usleep(2000)
    }
    kill(running.process.processIdentifier, number)
    let output = try running.finish()
    #expect(output.status == 128 + number)
    #expect(output.standardOutput.hasPrefix("The castle was built in"))
    #expect(output.messages.last == "surgeon: \(number == SIGINT ? "interrupted" : "terminated")")
  }

  @Test("an output that takes nothing is an error, not a crash")
  func fullDisk() throws {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    let words = [try Surgeon.program().path] + Self.generate + ["--tokens", "3", "--quiet"]
    let command = words.map { "'\($0)'" }.joined(separator: " ") + " > /dev/full"
    process.arguments = ["-c", command]
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    let message = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 1)
    #expect(message.hasPrefix("surgeon: cannot write standard output"), "\(message)")
    #expect(!message.contains("Domain"))
  }
}
