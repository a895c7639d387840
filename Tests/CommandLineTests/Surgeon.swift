import DemonstrationModel
import ExactJSON
import Foundation
import TestKit
import Testing

/// The built program, run as a child process.
struct Surgeon {
  /// How a run ended.
  struct Output {
    let status: Int32
    let standardOutput: String
    let standardError: String

    /// The lines on standard error.
    var messages: [Substring] { standardError.split(separator: "\n") }
  }

  /// A process that runs, and where its output goes.
  struct Running {
    let process: Process
    fileprivate let files: ScratchDirectory

    /// What is on standard output so far.
    func standardOutput() throws -> String {
      String(decoding: try files.read("output"), as: UTF8.self)
    }

    /// Waits for the end.
    func finish() throws -> Output {
      process.waitUntilExit()
      return Output(
        status: process.terminationStatus,
        standardOutput: String(decoding: try files.read("output"), as: UTF8.self),
        standardError: String(decoding: try files.read("error"), as: UTF8.self)
      )
    }
  }

  /// Starts the program.
  ///
  /// - Parameters:
  ///   - arguments: Its command line.
  ///   - directory: Where it runs; here unless stated.
  ///   - temporary: Its folder for temporary files; the usual one unless stated.
  ///   - program: Another program to start instead.
  /// - Returns: The process.
  /// - Throws: What starting it throws.
  static func start(
    _ arguments: [String],
    in directory: String? = nil,
    temporary: String? = nil,
    program: String? = nil
  ) throws -> Running {
    let files = try ScratchDirectory()
    let process = Process()
    process.executableURL = try program.map { URL(filePath: $0) } ?? Self.program()
    process.arguments = arguments
    if let directory { process.currentDirectoryURL = URL(filePath: directory) }
    if let temporary {
      let variables = ProcessInfo.processInfo.environment
      process.environment = variables.merging(["TMPDIR": temporary]) { $1 }
    }
    for name in ["output", "error"] { try files.write(name, "") }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: URL(filePath: files.path("output")))
    process.standardError = try FileHandle(forWritingTo: URL(filePath: files.path("error")))
    try process.run()
    return Running(process: process, files: files)
  }

  /// Runs the program to its end.
  static func run(
    _ arguments: [String],
    in directory: String? = nil,
    program: String? = nil
  ) throws -> Output {
    try start(arguments, in: directory, program: program).finish()
  }

  /// Runs the program, which must succeed.
  @discardableResult
  static func succeed(_ arguments: [String]) throws -> Output {
    let output = try run(arguments)
    try #require(output.status == 0, "\(output.standardError)")
    return output
  }

  /// The program, which is built into the folder of the test bundle.
  static func program() throws -> URL {
    let url = Bundle.main.bundleURL.appending(path: "surgeon")
    try #require(FileManager.default.isExecutableFile(atPath: url.path), "\(url.path) is not built")
    return url
  }
}

/// The embedded model, its text, and how little of it suffices for most tests.
enum Embedded {
  static var model: String { DemonstrationModel.directory.path }
  static var text: String { DemonstrationModel.calibrationText.path }
  /// The smallest calibration.
  static let windows = ["--samples", "1", "--length", "8"]

  /// A copy of the model that a test may spoil.
  static func copy(to scratch: ScratchDirectory, _ name: String = "model") throws -> String {
    try FileManager.default.copyItem(atPath: model, toPath: scratch.path(name))
    return scratch.path(name)
  }

  /// Calibrates the model on one short window.
  static func calibrate(to output: String, model: String = model) throws {
    try Surgeon.succeed(["calibrate", model, "--text", text, "--output", output] + windows)
  }
}

/// Expects a failed run with one clear line, and no output besides.
func expectFailure(
  _ arguments: [String],
  saying words: String...,
  location: SourceLocation = #_sourceLocation
) throws {
  // Only `report` shows no progress that could be silenced.
  let output = try Surgeon.run(arguments + (arguments[0] == "report" ? [] : ["--quiet"]))
  #expect(output.status == 1, "\(output.standardError)", sourceLocation: location)
  #expect(output.standardOutput == "", sourceLocation: location)
  #expect(output.messages.count == 1, "\(output.standardError)", sourceLocation: location)
  let message = output.standardError
  #expect(message.hasPrefix("surgeon: "), "\(message)", sourceLocation: location)
  #expect(!message.contains("Domain"), "\(message)", sourceLocation: location)
  for word in words where !word.isEmpty {
    #expect(message.contains(word), "\(message)", sourceLocation: location)
  }
}

/// Expects a refusal of the command line itself.
func expectUsageError(
  _ arguments: [String],
  saying words: String...,
  location: SourceLocation = #_sourceLocation
) throws {
  let output = try Surgeon.run(arguments)
  #expect(output.status == 64, "\(output.standardError)", sourceLocation: location)
  #expect(output.standardOutput == "", sourceLocation: location)
  let message = String(output.messages.first ?? "")
  #expect(message.hasPrefix("Error: "), "\(message)", sourceLocation: location)
  for word in words where !word.isEmpty {
    #expect(message.contains(word), "\(message)", sourceLocation: location)
  }
}
