/// The loss over the steps of a training: a line for the training windows, points for held-out
/// tokens.
struct LossCurve {
  private static let (left, top, plotWidth, plotHeight) = (60, 16, 640, 280)
  /// Neighbouring steps are averaged down to this many places.
  private static let mostPlaces = 160

  /// A place on the curve: a step (that of the middle, where several are averaged) and a loss.
  private struct Point {
    let step: Double
    let loss: Double
  }

  private let line: [Point]
  private let heldOut: [Point]
  /// The steps after which blocks were removed.
  private let cuts: [Int]
  private let steps: Int
  private let averaged: Int
  private let range: (low: Double, high: Double)

  init(of course: TrainingCourse) {
    steps = max(1, course.steps.count)
    let size = (steps + Self.mostPlaces - 1) / Self.mostPlaces
    averaged = size
    line = stride(from: 0, to: course.steps.count, by: size).map { first in
      let part = course.steps[first..<min(course.steps.count, first + size)].map(\.loss)
      return Point(
        step: Double(first) + Double(part.count + 1) / 2,
        loss: part.reduce(0, +) / Double(part.count)
      )
    }
    heldOut = course.heldOut.map { Point(step: Double($0.step), loss: $0.loss) }
    cuts = course.cuts.map(\.step)
    let losses = (line + heldOut).map(\.loss)
    let (low, high) = (losses.min() ?? 0, losses.max() ?? 1)
    let margin = max(0.02, (high - low) * 0.05)
    range = (max(0, low - margin), high + margin)
  }

  /// What stands below the curve.
  var caption: String {
    let points = heldOut.isEmpty ? "" : " Points: held-out tokens."
    let mean = averaged > 1 ? ", each place the mean of \(averaged) steps" : ""
    let removals = cuts.isEmpty ? "" : " Upright lines: blocks were removed."
    return "Loss in nats per token, lower is better. Line: training windows\(mean).\(points)"
      + removals
  }

  /// The curve as an inline SVG element.
  var svg: Markup {
    let (width, height) = (Self.left + Self.plotWidth + 20, Self.top + Self.plotHeight + 40)
    var parts: [Markup] = [.element("title", ["id": "loss-t"], text: "Loss over the steps")]
    parts += axes
    let path = line.map { "\(x($0.step)),\(y($0.loss))" }.joined(separator: " ")
    parts.append(.element("polyline", ["class": "curve", "points": path]))
    for point in heldOut {
      let label = "step \(Int(point.step)): held-out loss \(Quantity.figure(point.loss, digits: 4))"
      parts.append(
        .element(
          "circle",
          ["class": "held-out", "cx": x(point.step), "cy": y(point.loss), "r": "4"],
          .element("title", text: label)
        )
      )
    }
    return .element(
      "svg",
      [
        "role": "img", "width": "\(width)", "height": "\(height)",
        "viewBox": "0 0 \(width) \(height)", "aria-labelledby": "loss-t",
      ],
      parts.joined()
    )
  }

  /// Five lines of equal loss with their values, and the first and last step.
  private var axes: [Markup] {
    let right = "\(Self.left + Self.plotWidth)"
    var parts = (0...4).flatMap { number -> [Markup] in
      let loss = range.low + (range.high - range.low) * Double(number) / 4
      return [
        .element(
          "line",
          ["class": "axis", "x1": "\(Self.left)", "x2": right, "y1": y(loss), "y2": y(loss)]
        ),
        .element(
          "text",
          ["class": "label", "text-anchor": "end", "x": "\(Self.left - 8)", "y": y(loss)],
          text: Quantity.figure(loss, digits: 4)
        ),
      ]
    }
    for cut in cuts {
      let place = x(Double(cut))
      let end = "\(Self.top + Self.plotHeight)"
      parts.append(
        .element(
          "line",
          ["class": "axis", "x1": place, "x2": place, "y1": "\(Self.top)", "y2": end]
        )
      )
    }
    let bottom = "\(Self.top + Self.plotHeight + 20)"
    for (step, anchor) in [(0, "start"), (steps, "end")] {
      parts.append(
        .element(
          "text",
          ["class": "label", "text-anchor": anchor, "x": x(Double(step)), "y": bottom],
          text: "step \(Quantity.grouped(step))"
        )
      )
    }
    return parts
  }

  private func x(_ step: Double) -> String {
    Quantity.fixed(
      Double(Self.left) + step / Double(steps) * Double(Self.plotWidth),
      decimals: 1
    )
  }

  private func y(_ loss: Double) -> String {
    let share = (range.high - loss) / (range.high - range.low)
    return Quantity.fixed(Double(Self.top) + share * Double(Self.plotHeight), decimals: 1)
  }
}
