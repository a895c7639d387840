import Foundation
import Testing

@testable import Tokenization

@Suite("Unicode normalization form C")
struct CompositionTests {
  @Test("what starts anew is a starter, stays, and is no later part of any decomposition")
  func startsAnew() {
    for value in UInt32(0)..<0x110000 {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let text = String(Character(scalar))
      let parts = text.decomposedStringWithCanonicalMapping.unicodeScalars
      for part in parts.dropFirst() where Composition.startsAnew(part.value) {
        Issue.record("U+\(String(part.value, radix: 16)) is part of U+\(String(value, radix: 16))")
      }
      guard Composition.startsAnew(value) else { continue }
      let composed = text.precomposedStringWithCanonicalMapping.unicodeScalars
      #expect(scalar.properties.canonicalCombiningClass == .notReordered)
      #expect(composed.elementsEqual([scalar]), "U+\(String(value, radix: 16))")
    }
  }

  @Test(
    "marks are sorted and joined, and what Unicode 9 did not have stays in place",
    arguments: [
      ("e\u{301}", "\u{E9}"), ("a\u{30A}\u{327}", "\u{E5}\u{327}"), ("\u{212B}", "\u{C5}"),
      ("\u{1100}\u{1161}\u{11A8}", "\u{AC01}"), ("\u{AC00}\u{11A8}", "\u{AC01}"),
      ("か\u{3099}", "が"), ("x\u{C7}\u{F73}\u{F71}\u{327}", "x\u{C7}\u{F71}\u{F71}\u{F72}\u{327}"),
      ("a\u{1AE3}\u{5B8}", "a\u{1AE3}\u{5B8}"), ("\u{301}\u{316}", "\u{316}\u{301}"), ("", ""),
    ]
  )
  func examples(text: String, composed: String) {
    #expect(Composition.compose(Array(text.utf8)) == Array(composed.utf8))
  }
}
