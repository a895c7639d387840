/// Where the parts of an allocation picture stand, in pixels of its own.
struct PictureGeometry {
  /// Characters of a kind's name that are shown.
  static let longestLabel = 16
  /// Space for the squares of all blocks, if that leaves them neither tiny nor huge.
  private static let preferredWidth = 760
  /// The width of a character of the pictures' type.
  private static let characterWidth = 7

  let blocks: Int
  let kinds: Int
  let cellWidth: Int
  let cellHeight = 30
  let gap: Int
  /// Where the squares begin.
  let left: Int
  let barsHeight = 52
  let barsWidth = 150

  init(blocks: Int, kinds: [String]) {
    self.blocks = blocks
    self.kinds = kinds.count
    cellWidth = max(8, min(64, Self.preferredWidth / max(1, blocks)))
    gap = cellWidth < 16 ? 1 : 2
    let longest = kinds.map { min(Self.longestLabel, $0.displayWidth) }.max() ?? 0
    left = max(88, longest * Self.characterWidth + 16)
  }

  func left(of column: Int) -> Int { left + column * cellWidth }
  func top(of row: Int) -> Int { gridTop + row * cellHeight }

  var gridTop: Int { 20 + barsHeight + 6 }
  var gridWidth: Int { blocks * cellWidth }
  var gridBottom: Int { gridTop + kinds * cellHeight }
  var legendTop: Int { gridBottom + 52 }
  var width: Int { max(left + gridWidth + barsWidth, left + 430) }
  var height: Int { legendTop + 34 }

  /// Whether a number stands inside a square with room at both sides.
  func fits(_ number: String) -> Bool {
    number.displayWidth * 6 + 8 <= cellWidth
  }

  /// Every how many blocks a number stands below the squares.
  var labelStride: Int {
    let needed = String(max(0, blocks - 1)).count * Self.characterWidth + 8
    let strides = [1, 2, 5, 10, 20, 50, 100]
    return strides.first { $0 * cellWidth >= needed } ?? max(1, blocks / 10)
  }
}
