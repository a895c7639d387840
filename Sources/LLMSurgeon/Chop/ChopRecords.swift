import Depth
import Report

extension ChopRemoval {
  /// What the report calls it.
  var name: String {
    if case .blocks = amount { "list" } else { scheme.rawValue }
  }
}

extension Distillation {
  /// What the report says of it.
  var record: ChoppingReport.Distillation {
    ChoppingReport.Distillation(logits: logits, hidden: hidden)
  }
}

extension DepthReport.Sizes {
  /// The same for a report of the training too.
  var record: ChoppingReport.Sizes {
    ChoppingReport.Sizes(
      parameters: parameters.record,
      bytes: bytes.record,
      keyValueBytesPerToken: keyValueBytesPerToken.record
    )
  }
}

extension DepthReport.Change {
  fileprivate var record: ChoppingReport.Change {
    ChoppingReport.Change(before: before, after: after)
  }
}
