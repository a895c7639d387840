import DemonstrationModel
import Foundation
import Testing
import Tokenization

@testable import LLMSurgeon

@Suite("Text that comes token by token")
struct TextStreamTests {
  private static func tokenizer() throws -> Tokenizer {
    try Tokenizer.load(directory: DemonstrationModel.directory)
  }

  @Test("the pieces are the whole text, and each ends with a whole character")
  func pieces() throws {
    let tokenizer = try Self.tokenizer()
    let text =
      "The É of 世界 — 🏰🇫🇷, naïve — " + String(repeating: "long text 🙂 ", count: 40) + "end 界"
    let tokens = try tokenizer.encode(Array(text.utf8)).map(Int.init)
    var stream = try TextStream(tokenizer)
    var pieces: [String] = []
    for token in tokens { pieces.append(try stream.append(token)) }
    #expect(pieces.joined() == text)
    #expect(try stream.remainder() == "")
    #expect(pieces.contains(""))
    #expect(!pieces.contains { $0.unicodeScalars.contains("\u{FFFD}") })
  }

  @Test("a stream that goes on behind a prompt gives the rest", arguments: [0, 1, 5, 30])
  func continuation(count: Int) throws {
    let tokenizer = try Self.tokenizer()
    let text = String(repeating: "A castle, and the old town hall. ", count: 4)
    let tokens = try tokenizer.encode(Array(text.utf8)).map(Int.init)
    let head = try tokenizer.decode(tokens.prefix(count).map(Int32.init))
    var stream = try TextStream(tokenizer, after: Array(tokens.prefix(count)))
    let rest = try tokens.dropFirst(count).map { try stream.append($0) }.joined()
    #expect(Array(head) + Array(rest.utf8) == Array(text.utf8))
  }

  @Test("a character that stays incomplete comes last, as a replacement")
  func incomplete() throws {
    let tokenizer = try Self.tokenizer()
    let tokens = try tokenizer.encode(Array("a界".utf8)).map(Int.init)
    var stream = try TextStream(tokenizer)
    var text = ""
    for token in tokens.dropLast() { text += try stream.append(token) }
    #expect(text == "a")
    #expect(try stream.remainder() == "\u{FFFD}")
  }

  @Test("special tokens and ids without a token add nothing")
  func nothing() throws {
    let tokenizer = try Self.tokenizer()
    let end = try #require(tokenizer.endOfText)
    var stream = try TextStream(tokenizer)
    for token in [Int(end), 1 << 20, Int.max, -1] { #expect(try stream.append(token) == "") }
    for _ in 0..<200 { #expect(try stream.append(Int(end)) == "") }
    let more = try tokenizer.encode(Array("more".utf8)).map(Int.init)
    #expect(try more.map { try stream.append($0) }.joined() == "more")
  }

  @Test("the end of the last whole character is found")
  func wholeCharacters() {
    let cases: [([UInt8], Int)] = [
      ([], 0), ([0x41], 1), ([0x41, 0xC3], 1), ([0xC3, 0xA9], 2), ([0xE7, 0x95], 0),
      ([0x41, 0xE7, 0x95, 0x8C], 4), ([0xF0, 0x9F, 0x8F], 0), ([0xF0, 0x9F, 0x8F, 0xB0], 4),
      // Bytes that begin nothing are not waited for.
      ([0x80], 1), ([0xFF], 1), ([0x80, 0x80, 0x80, 0x80], 4), ([0xC0], 1),
    ]
    for (bytes, end) in cases { #expect(TextStream.wholeCharacters(bytes) == end, "\(bytes)") }
  }
}
