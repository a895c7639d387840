import ExactJSON

/// Looks at the version of a report before anything else, since another version has other members.
///
/// - Parameters:
///   - value: The report.
///   - path: Its place in the document, for messages; empty for the document itself.
///   - supported: The version that this program reads.
/// - Throws: ``ReportError`` if it is no object, states no version, or another one.
func checkFormatVersion(
  of value: JSONValue,
  at path: String,
  supported: Int
) throws(ReportError) {
  let place = path.isEmpty ? "formatVersion" : "\(path).formatVersion"
  guard value.object != nil else {
    throw .wrongType(path: path.isEmpty ? "(document)" : path, expected: "an object")
  }
  guard let version = value["formatVersion"] else { throw .missing(path: place) }
  guard let version = version.integer else {
    throw .wrongType(path: place, expected: "an integer")
  }
  guard version == supported else {
    throw .unsupportedVersion(version, supported: supported)
  }
}
