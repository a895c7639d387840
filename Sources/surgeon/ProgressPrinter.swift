import Foundation
import LLMSurgeon
import Synchronization

/// Shows progress on standard error: a bar on a terminal, plain lines elsewhere.
final class ProgressPrinter: ProgressListener {
  private struct Phase {
    var name = ""
    var unit = ""
    var total = 0
    var completed = 0
    /// What of it an earlier process did.
    var found = 0
    var began = ContinuousClock.now
    var shownTenth = -1
    var lastDrawn: ContinuousClock.Instant?
  }

  private let phase = Mutex(Phase())
  private let isTerminal: Bool
  private let isQuiet: Bool

  /// A printer for this process's standard error.
  init(isQuiet: Bool) {
    isTerminal = isatty(STDERR_FILENO) == 1
    self.isQuiet = isQuiet
  }

  func begin(_ name: String, total: Int, unit: String) {
    phase.withLock { $0 = Phase(name: name, unit: unit, total: total) }
    if isTerminal { draw() }
  }

  func advance(to completed: Int) {
    phase.withLock { $0.completed = completed }
    draw()
  }

  func resume(at completed: Int) {
    phase.withLock {
      $0.found = completed
      $0.completed = max($0.completed, completed)
    }
    draw()
  }

  func end() {
    let (name, seconds) = phase.withLock { ($0.name, Self.seconds(since: $0.began)) }
    if isTerminal { write("\r\u{1B}[K") }
    write("\(name): \(Self.duration(seconds))\n")
  }

  func note(_ message: String) {
    if isTerminal { write("\r\u{1B}[K") }
    write("\(message)\n")
  }

  private func draw() {
    let line = phase.withLock { phase -> String? in
      guard phase.total > 0 else { return nil }
      let share = Double(phase.completed) / Double(phase.total)
      let elapsed = Self.seconds(since: phase.began)
      let done = phase.completed - phase.found
      let left = Double(phase.total - phase.completed) / Double(done)
      let forecast = done > 0 ? Self.duration(elapsed * left) + " left" : ""
      let count = "\(phase.completed)/\(phase.total) \(phase.unit)"
      guard isTerminal else {
        // A line for each tenth, and only for work that takes a while.
        let tenth = Int(share * 10)
        let isRecent = phase.lastDrawn.map { Self.seconds(since: $0) < 5 } ?? (elapsed < 5)
        guard tenth > phase.shownTenth, !isRecent, share < 1 else { return nil }
        phase.shownTenth = tenth
        phase.lastDrawn = .now
        return "\(phase.name): \(count)\(forecast.isEmpty ? "" : ", ")\(forecast)\n"
      }
      if let last = phase.lastDrawn, Self.seconds(since: last) < 0.1, share < 1 { return nil }
      phase.lastDrawn = .now
      let width = 24
      let filled = Int(share * Double(width))
      let bar =
        String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
      return "\r\u{1B}[K\(phase.name) \(bar) \(count)  \(forecast)"
    }
    if let line { write(line) }
  }

  private func write(_ text: String) {
    guard !isQuiet else { return }
    FileHandle.standardError.write(Data(text.utf8))
  }

  private static func seconds(since instant: ContinuousClock.Instant) -> Double {
    let components = instant.duration(to: .now).components
    return Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }

  private static func duration(_ seconds: Double) -> String {
    switch seconds {
    case ..<9.95: String(format: "%.1f s", seconds)
    case ..<60: "\(Int(seconds.rounded())) s"
    case ..<3600: "\(Int(seconds) / 60) min \(Int(seconds) % 60) s"
    default: "\(Int(seconds) / 3600) h \(Int(seconds) / 60 % 60) min"
    }
  }
}
