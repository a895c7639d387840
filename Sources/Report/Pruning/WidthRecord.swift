import ExactJSON

/// What is left of one block whose neurons or heads were removed.
package struct WidthRecord: Sendable, Equatable {
  /// How many there were, and how many are left.
  package struct Width: Sendable, Equatable {
    /// Before pruning.
    package var whole: Int
    /// After pruning, whether or not the others keep their place in the files as zeros.
    package var kept: Int

    /// Takes both numbers.
    package init(whole: Int, kept: Int) {
      self.whole = whole
      self.kept = kept
    }
  }

  /// Query heads.
  package var heads: Width
  /// Key and value heads.
  package var keyValueHeads: Width
  /// Neurons of the feed-forward part.
  package var neurons: Width

  /// Takes the three widths.
  package init(heads: Width, keyValueHeads: Width, neurons: Width) {
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.neurons = neurons
  }
}

extension WidthRecord {
  private var members: [(whole: JSONText, kept: JSONText, width: Width)] {
    [
      ("heads", "headsKept", heads), ("keyValueHeads", "keyValueHeadsKept", keyValueHeads),
      ("neurons", "neuronsKept", neurons),
    ]
  }

  var json: JSONValue {
    var object = JSONObject()
    for (whole, kept, width) in members {
      object[whole] = JSONValue(width.whole)
      object[kept] = JSONValue(width.kept)
    }
    return .object(object)
  }

  init(_ value: JSONValue, at path: String) throws(ReportError) {
    let reader = try ObjectReader(
      value,
      at: path,
      keys: [
        "heads", "headsKept", "keyValueHeads", "keyValueHeadsKept", "neurons", "neuronsKept",
      ]
    )
    func width(_ whole: JSONText, _ kept: JSONText) throws(ReportError) -> Width {
      Width(whole: try reader.integer(whole), kept: try reader.integer(kept))
    }
    self.init(
      heads: try width("heads", "headsKept"),
      keyValueHeads: try width("keyValueHeads", "keyValueHeadsKept"),
      neurons: try width("neurons", "neuronsKept")
    )
  }

  func validate(at path: String) throws(ReportError) {
    for (whole, kept, width) in members {
      try Check.integer(width.whole, in: 1...Check.largest, "\(path).\(whole.string)")
      try Check.integer(width.kept, in: 0...width.whole, "\(path).\(kept.string)")
    }
  }
}

extension PruningReport {
  /// The widths of each block: its number, query heads, key and value heads, neurons.
  var widthTexts: [[String]] {
    func text(_ width: WidthRecord.Width) -> String {
      "\(Quantity.grouped(width.kept)) of \(Quantity.grouped(width.whole))"
    }
    return widths.enumerated().map { block, width in
      ["\(block)", text(width.heads), text(width.keyValueHeads), text(width.neurons)]
    }
  }
}
