extension String {
  /// How many columns of a terminal the text takes.
  package var displayWidth: Int { reduce(0) { $0 + $1.displayWidth } }

  /// The text on one line, with everything that could steer a terminal replaced by `�`.
  ///
  /// Names come from files; an escape sequence or a mark that turns the writing direction in one of
  /// them must not reach the terminal.
  package var printable: String {
    var scalars = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      scalars.append(scalar.steersDisplay ? "\u{FFFD}" : scalar)
    }
    return String(scalars)
  }

  /// The text cut to a width, its middle replaced by `…`.
  ///
  /// - Parameter width: Columns of a terminal; at least 1.
  /// - Returns: The text itself if it fits.
  func shortened(to width: Int) -> String {
    guard displayWidth > width else { return self }
    let tail = suffix(fitting: (width - 1) * 2 / 3)
    let head = prefix(fitting: width - 1 - tail.displayWidth)
    return head + "…" + tail
  }

  private func prefix(fitting width: Int) -> String {
    var room = width
    return String(
      prefix {
        room -= $0.displayWidth
        return room >= 0
      }
    )
  }

  private func suffix(fitting width: Int) -> String {
    String(String(reversed()).prefix(fitting: width).reversed())
  }
}

extension Character {
  /// The columns of the character in a terminal: 2 for East Asian wide characters and emoji.
  fileprivate var displayWidth: Int {
    guard let first = unicodeScalars.first else { return 0 }
    if unicodeScalars.contains("\u{FE0F}") { return 2 }
    return first.displayWidth
  }
}

extension Unicode.Scalar {
  fileprivate var displayWidth: Int {
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: 0
    default: Self.wide.contains { $0.contains(value) } ? 2 : 1
    }
  }

  /// Whether the scalar is a control character or turns the writing direction.
  var steersDisplay: Bool {
    switch value {
    case 0x00..<0x20, 0x7F..<0xA0, 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }

  /// The blocks of characters that Unicode's annex 11 calls wide.
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
    0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF,
    0x1F900...0x1FAFF, 0x20000...0x3FFFD,
  ]
}
