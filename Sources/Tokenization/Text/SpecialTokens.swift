/// The tokens that a text gets before and behind it.
struct SpecialTokens: Equatable, Sendable {
  var prefix: [Int32] = []
  var suffix: [Int32] = []
}
