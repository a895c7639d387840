import Foundation
import Glibc
import TestKit
import Testing

extension ScratchDirectory {
  /// The names of the files that differ between two folders, or that only one has.
  func differences(_ left: String, _ right: String) throws -> [String] {
    let names = Set(try names(in: left)).union(try self.names(in: right))
    return names.filter { name in
      let first = try? read("\(left)/\(name)")
      return first == nil || first != (try? read("\(right)/\(name)"))
    }.sorted()
  }

  /// The files of a folder with what tells one that was written anew: number and time of change.
  func stamps(in folder: String) -> [String: String] {
    let names = (try? names(in: folder)) ?? []
    return names.reduce(into: [:]) { stamps, name in
      var status = stat()
      // SAFETY: the path is a terminated string during the call, and `status` is written by it.
      guard unsafe stat(path("\(folder)/\(name)"), &status) == 0 else { return }
      stamps[name] = "\(status.st_ino) \(status.st_mtim.tv_sec) \(status.st_mtim.tv_nsec)"
    }
  }
}

extension Surgeon.Running {
  /// Waits until there is a file, while the process runs.
  func wait(for path: String) throws {
    while !FileManager.default.fileExists(atPath: path) {
      try #require(process.isRunning, "it ended before \(path) was there")
      usleep(2000)
    }
  }

  /// Sends a signal.
  func send(_ number: Int32) { kill(process.processIdentifier, number) }

  /// Whether a signal no longer ends the process at once: it is ignored or handled.
  func survives(_ number: Int32) throws -> Bool {
    let status = try String(
      contentsOfFile: "/proc/\(process.processIdentifier)/status",
      encoding: .utf8
    )
    return try ["SigIgn:", "SigCgt:"].contains { name in
      let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(name) })
      let digits = line.dropFirst(name.count).drop(while: \.isWhitespace)
      let mask = try #require(UInt64(digits, radix: 16))
      return mask >> UInt64(number - 1) & 1 == 1
    }
  }
}
