import Report

/// A report and the bytes in which it is written, made once.
struct WrittenReport<Content: Sendable>: Sendable {
  /// The report.
  let content: Content
  /// The bytes that are written beside a checkpoint.
  let file: [UInt8]

  /// The report as a JSON document without a final line feed.
  var json: String { String(decoding: file, as: UTF8.self).trimmingSuffix("\n") }
}
