import Foundation

/// A scale of colours from little to much, readable with any colour vision.
///
/// One hue whose lightness changes steadily, darker for more on a light page and lighter for more
/// on a dark one, so that "more" always stands out from the page.
enum ColourScale: CaseIterable {
  /// Blue, for shares removed.
  case share
  /// Orange, for rises in loss.
  case rise

  /// Steps of the scale above its zero.
  static let steps = 50

  /// The style class of a value between 0 and 1.
  func styleClass(_ value: Double) -> String {
    "\(letter)\(Int((min(1, max(0, value)) * Double(Self.steps)).rounded()))"
  }

  /// The style rules of all steps, for a light or a dark page.
  func styleRules(isDark: Bool) -> Markup {
    (0...Self.steps).map { step in
      let colour = colour(Double(step) / Double(Self.steps), isDark: isDark)
      let rule =
        ".\(letter)\(step){fill:\(colour.hex);stop-color:\(colour.hex);color:\(colour.ink)}\n"
      return Markup(text: rule)  // Nothing in a rule is changed by escaping.
    }.joined()
  }

  private var letter: String {
    switch self {
    case .share: "s"
    case .rise: "r"
    }
  }

  /// The colour of a value between 0 and 1.
  func colour(_ value: Double, isDark: Bool) -> Colour {
    let anchors = isDark ? darkAnchors : lightAnchors
    let place = min(1, max(0, value)) * Double(anchors.count - 1)
    let index = min(anchors.count - 2, Int(place))
    return anchors[index].mixed(with: anchors[index + 1], share: place - Double(index))
  }

  private var lightAnchors: [Colour] {
    switch self {
    case .share: [0xE9F0F5, 0xB5D3E7, 0x6BAED6, 0x2F7EBC, 0x0F508F, 0x082A54].map(Colour.init)
    case .rise: [0xF7EFE6, 0xFBD2A4, 0xF2A054, 0xD66D1C, 0x9E4309, 0x5A2406].map(Colour.init)
    }
  }

  private var darkAnchors: [Colour] {
    switch self {
    case .share: [0x1E2A35, 0x1E466A, 0x2270A6, 0x4A9CD3, 0x90C8EC, 0xDCF0FC].map(Colour.init)
    case .rise: [0x302620, 0x5E3412, 0x9C5212, 0xD97A24, 0xF5AE68, 0xFDE3C4].map(Colour.init)
    }
  }
}

/// A colour of the screen: red, green and blue from 0 to 255.
struct Colour: Equatable {
  let channels: [Double]

  init(_ code: Int) {
    channels = [16, 8, 0].map { Double((code >> $0) & 0xFF) }
  }

  private init(channels: [Double]) { self.channels = channels }

  func mixed(with other: Colour, share: Double) -> Colour {
    Colour(channels: zip(channels, other.channels).map { ($0 + ($1 - $0) * share).rounded() })
  }

  var hex: String {
    "#"
      + channels.map { channel in
        let digits = String(Int(channel), radix: 16)
        return digits.count < 2 ? "0" + digits : digits
      }.joined()
  }

  /// The colour of text on this one: black or white, whichever differs more.
  ///
  /// The better one of the two has a contrast of at least √21 ≈ 4.58, more than the 4.5 that WCAG
  /// 2.2 asks of small text.
  var ink: String { contrast(withLuminance: 0) >= contrast(withLuminance: 1) ? "#000" : "#fff" }

  /// The contrast as WCAG 2.2 defines it, 1 to 21.
  func contrast(withLuminance other: Double) -> Double {
    (max(luminance, other) + 0.05) / (min(luminance, other) + 0.05)
  }

  /// The relative luminance as WCAG 2.2 defines it, 0 to 1.
  var luminance: Double {
    let linear = channels.map { channel -> Double in
      let value = channel / 255
      return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
  }
}
