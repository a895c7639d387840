package import MessagePassing

/// What is computed of a layer, and what it is found by.
struct RecordedWork: Sendable {
  /// What the record is found by.
  let name: RecordName
  /// The layer in the store.
  let layer: Int
}

extension LayerStore {
  /// Computes something for each of some layers, or takes it from a journal.
  ///
  /// Ranks that share the journal compute a part each and read what the others have kept, so that all
  /// of them receive everything.
  ///
  /// - Parameters:
  ///   - work: What is to be computed.
  ///   - journal: Where results are found and kept, if anywhere.
  ///   - isForFirst: Whether the first rank alone needs the results.
  ///   - progress: Told of each result that was there, from several threads at once.
  ///   - compute: Called with a place in `work`, from several threads at once.
  ///   - receive: Called with the same place and the result, place after place.
  /// - Throws: What the functions and the journal throw, or ``PruningError/shareMissing(layer:)``.
  func forEachRecord<Result: Recorded>(
    _ work: [RecordedWork],
    journal: (any RunJournal)?,
    isForFirst: Bool = false,
    progress: @escaping ProgressHandler,
    _ compute: @Sendable (Int) throws -> Result,
    receive: (Int, Result) throws -> Void
  ) throws {
    let layers = layers
    @Sendable func result(_ place: Int) throws -> Result {
      let item = work[place]
      return try journal.result(item.name, of: layers[item.layer]) {
        progress(PruningProgress(stage: .found, layer: item.layer))
      } _: {
        try compute(place)
      }
    }
    guard let journal, let ranks = journal.ranks else {
      return try forEachLayer(work.map(\.layer)) {
        try result($0)
      } receive: {
        try receive($0, $1)
      }
    }
    let own = share(of: work.map(\.layer), ranks)
    try forEachLayer(own.map { work[$0].layer }) {
      _ = try result(own[$0])
    } receive: { _, _ in
    }
    try ranks.meet()
    guard ranks.isFirst || !isForFirst else { return }
    for (place, item) in work.enumerated() {
      let layer = layers[item.layer]
      guard let result = journal.record(item.name).flatMap({ Result($0, of: layer) }) else {
        throw PruningError.shareMissing(layer: layer.name)
      }
      try receive(place, result)
    }
  }

  /// The layers that a rank computes when several share all of the store.
  ///
  /// - Parameter ranks: The processes.
  /// - Returns: Their places.
  package func share(of ranks: any RankGroup) -> [Int] { share(of: Array(layers.indices), ranks) }

  /// The layers that a rank computes when several share some of the store: about as much work for each.
  ///
  /// - Returns: Places in `indices`, rising.
  private func share(of indices: [Int], _ ranks: any RankGroup) -> [Int] {
    let layers = layers
    // Inverses, r³ + c³, and products of both factors with the weights, 2 r c (r + c).
    let costs = indices.map { index in
      let (rows, columns) = (Double(layers[index].mask.outputs), Double(layers[index].columns))
      return (rows + columns) * (rows * rows + rows * columns + columns * columns)
    }
    var loads = [Double](repeating: 0, count: ranks.count)
    var own: [Int] = []
    for place in indices.indices.sorted(by: { (-costs[$0], $0) < (-costs[$1], $1) }) {
      let rank = loads.indices.min { loads[$0] < loads[$1] } ?? 0
      loads[rank] += costs[place]
      if rank == ranks.rank { own.append(place) }
    }
    return own.sorted()
  }
}
