import Depth
import Testing

@Suite("Blocks by position")
struct PositionSchemeTests {
  @Test("of 24 blocks, 12 go as the published schemes read")
  func published() throws {
    func removed(_ scheme: PositionScheme) throws -> [Int] { try scheme.removed(12, of: 24) }
    #expect(try removed(.input) == Array(1...12))
    #expect(try removed(.output) == Array(11...22))
    #expect(try removed(.middle) == Array(6...17))
    #expect(try removed(.both) == Array(1...6) + Array(17...22))
    let kept = [0, 2, 4, 6, 8, 10, 13, 15, 17, 19, 21, 23]
    #expect(try removed(.maxGap) == (0..<24).filter { !kept.contains($0) })
  }

  @Test("of 32 blocks, every second one stays, ends included")
  func maxGap() throws {
    let kept =
      Array(stride(from: 0, through: 14, by: 2)) + Array(stride(from: 17, through: 31, by: 2))
    #expect(try PositionScheme.maxGap.removed(16, of: 32) == (0..<32).filter { !kept.contains($0) })
  }

  @Test("as many as asked for go, in ascending order, first and last stay", arguments: 2...13)
  func counts(blocks: Int) throws {
    for scheme in PositionScheme.allCases {
      for count in 0...blocks - 2 {
        let removed = try scheme.removed(count, of: blocks)
        #expect(removed.count == count, "\(scheme) \(count) of \(blocks)")
        #expect(removed == Set(removed).sorted())
        #expect(removed.allSatisfy { 0 < $0 && $0 < blocks - 1 })
      }
    }
  }

  @Test("an odd number of both ends takes one more at the front")
  func odd() throws {
    #expect(try PositionScheme.both.removed(3, of: 8) == [1, 2, 6])
    #expect(try PositionScheme.both.removed(1, of: 3) == [1])
  }

  @Test("survivors are spaced as evenly as whole numbers allow", arguments: 3...20)
  func spacing(blocks: Int) throws {
    for count in 1...blocks - 2 {
      let removed = Set(try PositionScheme.maxGap.removed(count, of: blocks))
      let kept = (0..<blocks).filter { !removed.contains($0) }
      let gaps = zip(kept, kept.dropFirst()).map { $1 - $0 }
      let (least, most) = (try #require(gaps.min()), try #require(gaps.max()))
      #expect(most - least <= 1)
    }
  }

  @Test("the first and the last block are not to be had", arguments: PositionScheme.allCases)
  func tooMany(scheme: PositionScheme) {
    #expect(throws: DepthError.tooMany(count: 5, blocks: 6)) { try scheme.removed(5, of: 6) }
    #expect(throws: DepthError.tooMany(count: 1, blocks: 2)) { try scheme.removed(1, of: 2) }
    #expect(throws: DepthError.tooMany(count: 1, blocks: 0)) { try scheme.removed(1, of: 0) }
  }
}
