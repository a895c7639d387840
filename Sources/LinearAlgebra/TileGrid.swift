/// How the result of a product is cut into tiles: a function of its shape, never of the machine.
///
/// Each tile is one call of BLAS on one thread, which first copies its rows of the left factor and its
/// columns of the right one into the order that the kernel reads. Of all cuts into enough tiles that
/// one is taken which copies least.
package struct TileGrid: Sendable {
  /// Below this many multiplications a second thread costs more than it brings.
  private static let leastShared = 1e6
  /// From this many multiplications on there are twice as many tiles.
  private static let large = 2.5e9
  /// No tile need be larger than this square: it is copied in a tenth of the time of its product.
  private static let edge = 1024
  /// Extents of tiles are multiples of this, which the kernels work on at a time.
  private static let grain = 16

  private let rows: Int
  private let columns: Int
  private let tileRows: Int
  private let tileColumns: Int

  /// The grid of a product `[rows, inner] · [inner, columns]`.
  package init(rows: Int, columns: Int, inner: Int) {
    self.rows = rows
    self.columns = columns
    let work = Double(rows) * Double(columns) * Double(inner)
    let squares = Self.parts(rows, Self.edge) * Self.parts(columns, Self.edge)
    let wanted = work < Self.leastShared ? 1 : max(squares, work < Self.large ? 8 : 16)
    let cut = Self.cheapestCut(rows: rows, columns: columns, tiles: wanted)
    tileRows = Self.extent(rows, parts: cut.down)
    tileColumns = Self.extent(columns, parts: cut.across)
  }

  /// The number of tiles.
  package var count: Int { Self.parts(rows, tileRows) * Self.parts(columns, tileColumns) }

  /// The rows and columns of a tile.
  package func tile(_ index: Int) -> (rows: Range<Int>, columns: Range<Int>) {
    let (row, column) = index.quotientAndRemainder(dividingBy: Self.parts(columns, tileColumns))
    return (
      row * tileRows..<min(rows, (row + 1) * tileRows),
      column * tileColumns..<min(columns, (column + 1) * tileColumns)
    )
  }

  /// Into how many parts rows and columns are cut so that there are at least `tiles` and all of them
  /// together read the fewest rows and columns.
  private static func cheapestCut(
    rows: Int,
    columns: Int,
    tiles: Int
  ) -> (down: Int, across: Int) {
    let most = (down: max(1, parts(rows, grain)), across: max(1, parts(columns, grain)))
    let cuts = (1...min(tiles, most.down)).map { down in
      (down: down, across: min(most.across, parts(tiles, down)))
    }
    // Enough tiles come first, then little copying, then few rows.
    let ranked = cuts.map { cut in
      (max(0, tiles - cut.down * cut.across), cut.down * columns + cut.across * rows, cut.down)
    }
    let best = ranked.indices.min { ranked[$0] < ranked[$1] } ?? 0
    return cuts[best]
  }

  /// How many parts of at most `size` there are.
  private static func parts(_ extent: Int, _ size: Int) -> Int { (extent + size - 1) / size }

  /// The extent of one of some equal parts, a multiple of the grain.
  private static func extent(_ extent: Int, parts count: Int) -> Int {
    max(1, parts(parts(extent, count), grain)) * grain
  }
}
