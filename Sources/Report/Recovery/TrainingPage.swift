/// A page about a training: some lines, the curve of the loss, and the settings.
struct TrainingPage {
  let title: String
  let lines: [String]
  let course: TrainingCourse
  let settings: [(term: String, value: String)]
  let programVersion: String

  /// The page in UTF-8.
  var bytes: [UInt8] {
    var body = Markup.element("h1", text: title)
    for line in lines { body += .element("p", text: line) }
    let curve = LossCurve(of: course)
    body += .element(
      "figure",
      [:],
      [
        Markup.element("div", ["class": "scroll"], curve.svg),
        .element("figcaption", text: curve.caption),
      ].joined()
    )
    body += Page.heading("Settings")
    body += Page.definitions(settings)
    return Page.render(title: title, body: body, footer: "surgeon \(programVersion)")
  }
}
