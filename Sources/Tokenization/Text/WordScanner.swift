/// The patterns that cut text into words before byte pairs are merged.
package enum WordPattern: Equatable, Sendable {
  /// The pattern of GPT-2, also that of OPT and GPT-NeoX.
  case gpt2
  /// The pattern of Llama 3: numbers in groups of up to three digits.
  case llama3
  /// The pattern of Qwen 2 and 3: each digit alone.
  case qwen2

  /// The pattern whose regular expression is written like this, if it is one of these.
  init?(regularExpression: [UInt8]) {
    let head = #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"#
    let tail = #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    if regularExpression.elementsEqual(gpt2.utf8) {
      self = .gpt2
    } else if regularExpression.elementsEqual((head + #"\p{N}{1,3}"# + tail).utf8) {
      self = .llama3
    } else if regularExpression.elementsEqual((head + #"\p{N}"# + tail).utf8) {
      self = .qwen2
    } else {
      return nil
    }
  }
}

/// Cuts text into the words of a pattern; every byte belongs to one word.
struct WordScanner: ~Escapable {
  private let text: Span<UInt8>
  private let pattern: WordPattern
  private let classes = ScalarClasses.shared
  private var position = 0

  /// Scans valid UTF-8 from its start.
  @_lifetime(copy text)
  init(_ text: Span<UInt8>, pattern: WordPattern) {
    self.text = text
    self.pattern = pattern
  }

  /// The bytes of the next word; nil at the end.
  mutating func next() -> Range<Int>? {
    guard position < text.count else { return nil }
    let start = position
    position =
      switch pattern {
      case .gpt2: endOfGPT2Word(at: start)
      case .llama3: endOfLlamaWord(at: start, longestNumber: 3)
      case .qwen2: endOfLlamaWord(at: start, longestNumber: 1)
      }
    return start..<position
  }

  private func endOfGPT2Word(at start: Int) -> Int {
    if let end = endOfContraction(at: start, ignoringCase: false) { return end }
    let (first, _) = classified(at: start)
    if first != .space { return endOfRun(of: first, from: start) }
    if let (next, _) = classAfterSpace(at: start), next != .space {
      return endOfRun(of: next, from: start + 1)
    }
    return endOfWhitespace(at: start)
  }

  private func endOfLlamaWord(at start: Int, longestNumber: Int) -> Int {
    if let end = endOfContraction(at: start, ignoringCase: true) { return end }
    let (first, width) = classified(at: start)
    switch first {
    case .letter: return endOfRun(of: .letter, from: start)
    case .number: return endOfRun(of: .number, from: start, longest: longestNumber)
    case .other, .space: break
    }
    let next = start + width
    if !isLineBreak(at: start), next < text.count, classified(at: next).class == .letter {
      return endOfRun(of: .letter, from: next)
    }
    if first == .other { return endOfLineBreaks(from: endOfRun(of: .other, from: start)) }
    if let (after, _) = classAfterSpace(at: start), after == .other {
      return endOfLineBreaks(from: endOfRun(of: .other, from: next))
    }
    return endOfLastLineBreak(at: start) ?? endOfWhitespace(at: start)
  }

  @inline(__always)
  private func classified(at index: Int) -> (class: ScalarClass, width: Int) {
    let (scalar, width) = text.scalar(at: index)
    return (classes[scalar], width)
  }

  /// The class of the scalar behind the U+0020 at `index`, if there are both.
  private func classAfterSpace(at index: Int) -> (class: ScalarClass, width: Int)? {
    guard text[index] == 0x20, index + 1 < text.count else { return nil }
    return classified(at: index + 1)
  }

  private func isLineBreak(at index: Int) -> Bool { text[index] == 0x0A || text[index] == 0x0D }

  private func endOfRun(of kind: ScalarClass, from start: Int, longest: Int = .max) -> Int {
    var end = start
    var length = 0
    while end < text.count, length < longest {
      let (found, width) = classified(at: end)
      guard found == kind else { break }
      end += width
      length += 1
    }
    return end
  }

  private func endOfLineBreaks(from start: Int) -> Int {
    var end = start
    while end < text.count, isLineBreak(at: end) { end += 1 }
    return end
  }

  /// The end of the last line break in the white space that begins at `start`: `\s*[\r\n]+`.
  private func endOfLastLineBreak(at start: Int) -> Int? {
    var end = endOfRun(of: .space, from: start)
    while end > start, !isLineBreak(at: end - 1) { end -= 1 }
    return end > start ? end : nil
  }

  /// All white space up to the last scalar before a word, which belongs to that word:
  /// `\s+(?!\S)|\s+`.
  private func endOfWhitespace(at start: Int) -> Int {
    let end = endOfRun(of: .space, from: start)
    if end == text.count { return end }
    let last = text.startOfScalar(before: end)
    return last == start ? end : last
  }

  /// The end of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` at `start`.
  private func endOfContraction(at start: Int, ignoringCase: Bool) -> Int? {
    guard text[start] == UInt8(ascii: "'"), start + 1 < text.count else { return nil }
    let lowercase: UInt8 = ignoringCase ? 0x20 : 0
    let first = text[start + 1] | lowercase
    switch first {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
      return start + 2
    case 0xC5 | lowercase where ignoringCase:
      // U+017F, the long s, is an s to a pattern that ignores case.
      return text.hasBytes([0xC5, 0xBF], at: start + 1) ? start + 3 : nil
    case UInt8(ascii: "r"), UInt8(ascii: "v"), UInt8(ascii: "l"):
      guard start + 2 < text.count else { return nil }
      let second: UInt8 = first == UInt8(ascii: "l") ? first : UInt8(ascii: "e")
      return text[start + 2] | lowercase == second ? start + 3 : nil
    default: return nil
    }
  }
}
