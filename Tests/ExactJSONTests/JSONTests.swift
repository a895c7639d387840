import ExactJSON
import Testing

@Suite("JSON")
struct JSONTests {
  @Test(
    "a document survives reading and writing",
    arguments: [
      "{\"a\":[1,2.50,-3e5,true,null],\"\u{e9}\":1,\"e\u{301}\":2}", "[]", "{}", #""\u0001x""#,
    ]
  )
  func roundTrip(text: String) throws {
    let value = try JSONParser.parse(Array(text.utf8))
    #expect(JSONWriter.write(value) == Array(text.utf8))
  }

  @Test("a number beyond the range of a double has no value, but keeps its spelling")
  func tooLarge() throws {
    let value = try JSONParser.parse(Array("[1e999,-1e999,1e-999]".utf8))
    #expect(value.array?.map(\.double) == [nil, nil, 0])
    #expect(JSONWriter.write(value) == Array("[1e999,-1e999,1e-999]".utf8))
  }

  @Test(
    "what is no document is refused",
    arguments: [
      "", "{", "[1,]", "{\"a\":1,}", "01", "1.", "+1", "nul", "\"\\x\"", "\"\u{1}\"", "1 2",
      #"{"a":1,"a":2}"#, #""\ud800""#, String(repeating: "[", count: 200),
    ]
  )
  func refused(text: String) {
    #expect(throws: JSONError.self) { try JSONParser.parse(Array(text.utf8)) }
  }
}
