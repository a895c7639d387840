import Tensors
import Testing

@Suite("Content hash")
struct ContentHashTests {
  static func hash(_ pieces: [[UInt8]]) -> String {
    var hasher = ContentHasher()
    for piece in pieces { hasher.update(piece) }
    return hasher.finalize().description
  }

  // Published by the xxHash project and printed by `xxh128sum`.
  @Test("agrees with the reference program")
  func reference() {
    #expect(Self.hash([]) == "99aa06d3014798d86001c324468d497f")
    #expect(Self.hash([Array("abc".utf8)]) == "06b05ab6733a618578af5f94892f3950")
  }

  @Test("does not depend on how the bytes are cut", arguments: [1, 7, 64, 999])
  func pieces(size: Int) {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let pieces = stride(from: 0, to: bytes.count, by: size)
      .map { Array(bytes[$0..<min(bytes.count, $0 + size)]) }
    #expect(Self.hash(pieces) == Self.hash([bytes]))
  }

  @Test("integers are eight little-endian bytes")
  func integer() {
    var hasher = ContentHasher()
    hasher.update(-2)
    #expect(
      hasher.finalize().description == Self.hash([[0xFE] + [UInt8](repeating: 0xFF, count: 7)])
    )
  }
}
