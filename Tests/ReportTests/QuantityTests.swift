import Report
import Testing

@Suite("Quantities")
struct QuantityTests {
  @Test(
    "a size in bytes has a decimal prefix",
    arguments: [
      (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_300_000_000, "1.3 GB"),
      (999_940, "1.0 MB"), (123_456_789, "123 MB"), (Int.max, "9.2 EB"),
    ]
  )
  func bytes(count: Int, text: String) { #expect(Quantity.bytes(count) == text) }

  @Test(
    "a count is exact below ten thousand",
    arguments: [
      (0, "0"), (9999, "9,999"), (10_000, "10.0 k"), (84_980_000, "85.0 M"),
      (999_999, "1.0 M"), (7_240_000_000, "7.2 B"), (-20_000, "-20.0 k"),
    ]
  )
  func counts(count: Int, text: String) { #expect(Quantity.count(count) == text) }

  @Test(
    "thousands are separated",
    arguments: [(0, "0"), (100, "100"), (-1234, "-1,234"), (84_934_656, "84,934,656")]
  )
  func grouped(count: Int, text: String) { #expect(Quantity.grouped(count) == text) }

  @Test(
    "a time span has the units that fit it",
    arguments: [
      (0.0, "0.00 s"), (0.42, "0.42 s"), (9.996, "10.0 s"), (59.97, "1 min 0 s"),
      (72.4, "1 min 12 s"), (3599.7, "1 h 0 min"), (7380, "2 h 3 min"),
    ]
  )
  func durations(seconds: Double, text: String) {
    #expect(Quantity.duration(seconds: seconds) == text)
  }

  @Test(
    "only nothing is 0 % and only everything is 100 %",
    arguments: [
      (0.0, "0.0 %"), (1e-9, "<0.1 %"), (0.5, "50.0 %"), (0.33333, "33.3 %"),
      (0.9999, ">99.9 %"), (1, "100.0 %"),
    ]
  )
  func percentages(share: Double, text: String) { #expect(Quantity.percent(share) == text) }

  @Test(
    "a figure has three significant digits",
    arguments: [
      (0.0, "0"), (0.01234, "0.0123"), (-0.5, "-0.500"), (4.116, "4.12"), (9.996, "10.0"),
      (61.35, "61.4"), (999.6, "1,000"), (1234.4, "1,234"), (0.0000123, "1.2e-5"),
      (3e12, "3.0e12"), (.nan, "NaN"), (.infinity, "∞"),
    ]
  )
  func figures(value: Double, text: String) { #expect(Quantity.figure(value) == text) }

  @Test(
    "a setting has no more digits than it needs",
    arguments: [(0.01, "0.01"), (0.1, "0.1"), (0, "0"), (1, "1"), (100, "100"), (1e-7, "1.0e-7")]
  )
  func chosen(value: Double, text: String) { #expect(Quantity.setting(value) == text) }

  @Test("the decimals of a column give its largest value four digits")
  func columns() {
    let column = DecimalColumn([0.01234, 0.5, 0.000001])
    #expect(column.decimals == 4)
    #expect(column.text(0.5) == "0.5000")
    #expect(column.text(0.01234) == "0.0123")
    #expect(column.text(0.000001) == "<0.0001")
    #expect(column.text(-0.000001) == "0.0000")
    #expect(column.text(0) == "0")
  }
}
