package import ExactJSON

/// Why a report cannot be read, written or shown.
package enum ReportError: Error, Equatable {
  /// The bytes are not JSON.
  case malformed(JSONError)
  /// The document is a report of a version that this program does not read.
  case unsupportedVersion(Int, supported: Int)
  /// A member that must be there is not.
  case missing(path: String)
  /// A member that the format does not have.
  case unknownMember(path: String)
  /// A value of another type; `expected` says which one was wanted.
  case wrongType(path: String, expected: String)
  /// A value that cannot be; `rule` says what it must be.
  case invalid(path: String, rule: String)
  /// A stated sum differs from that of the layers.
  case inconsistent(path: String, stated: Double, computed: Double)
}

extension ReportError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .malformed(let error): "the report is not readable: \(error)"
    case .unsupportedVersion(let version, let supported):
      "the report has format version \(version), this program reads version \(supported); "
        + "use the program version that wrote it, or write the report again"
    case .missing(let path): "the report lacks `\(path)`; it may be cut off or of another program"
    case .unknownMember(let path):
      "the report holds `\(path)`, which format version \(PruningReport.formatVersion) lacks; "
        + "remove it or correct its spelling"
    case .wrongType(let path, let expected): "`\(path)` in the report must be \(expected)"
    case .invalid(let path, let rule): "`\(path)` in the report must be \(rule)"
    case .inconsistent(let path, let stated, let computed):
      "`\(path)` in the report is \(stated), but its layers give \(computed); "
        + "the report was changed by hand or damaged, write it again"
    }
  }
}
