import Depth
import Testing

@Suite("Merged layers")
struct LayerMergeTests {
  /// The published code: the sum overwrites the weights that it subtracts.
  private static func telescoped(_ weights: [Float], following: [[Float]]) -> [Float] {
    following.reduce(weights) { sum, next in zip(sum, next).map { $0 + ($1 - $0) } }
  }

  @Test("the formula and the published code agree for one layer and differ for more")
  func formula() {
    let (own, first, second): ([Float], [Float], [Float]) = ([1, -2, 4], [2, 0, 4], [0.5, 1, -8])
    #expect(mergedWeights(own, following: [first]) == first)
    #expect(Self.telescoped(own, following: [first]) == first)
    #expect(mergedWeights(own, following: [first, second]) == [1.5, 3, -8])
    #expect(Self.telescoped(own, following: [first, second]) == second)
  }

  @Test("a layer that nothing follows stays, and equal layers merge into themselves")
  func fixed() {
    let own: [Float] = [0.1, -3]
    #expect(mergedWeights(own, following: []) == own)
    #expect(mergedWeights(own, following: [own, own]) == own)
  }
}
