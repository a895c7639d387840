/// The rules that single values of a report obey.
enum Check {
  /// The largest count and size that a report may state; two multiply without overflow.
  static let largest = Int(Int32.max)
  /// The longest text, in UTF-8 bytes.
  static let longestText = 4096

  static func that(
    _ holds: Bool,
    _ path: @autoclosure () -> String,
    _ rule: @autoclosure () -> String
  ) throws(ReportError) {
    guard holds else { throw .invalid(path: path(), rule: rule()) }
  }

  static func integer(
    _ value: Int,
    in range: ClosedRange<Int>,
    _ path: @autoclosure () -> String
  ) throws(ReportError) {
    try that(range.contains(value), path(), "from \(range.lowerBound) to \(range.upperBound)")
  }

  static func finite(
    _ value: Double,
    _ path: @autoclosure () -> String
  ) throws(ReportError) {
    try that(value.isFinite, path(), "a finite number")
  }

  static func notNegative(
    _ value: Double,
    _ path: @autoclosure () -> String
  ) throws(ReportError) {
    try that(value.isFinite && value >= 0, path(), "a finite number that is not negative")
  }

  static func share(_ value: Double, _ path: @autoclosure () -> String) throws(ReportError) {
    try that(0...1 ~= value, path(), "from 0 to 1")
  }

  static func text(_ text: String, _ path: @autoclosure () -> String) throws(ReportError) {
    let length = text.utf8.count
    try that(1...longestText ~= length, path(), "text of 1 to \(longestText) bytes")
  }
}
