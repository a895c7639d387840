/// A byte-pair model: spells a word with symbols and merges them.
struct BytePairModel: Sendable {
  /// The tokens that merges can make; added tokens are not among them.
  let vocabulary: Vocabulary
  let symbols: SymbolTable
  let merges: MergeTable
  /// Whether a word that is a token is not taken apart, even if no merges make it.
  let ignoresMerges: Bool

  /// Appends the tokens of a piece of text that the pre-tokenizer does not cut further.
  func encode(_ piece: Span<UInt8>, into run: inout EncodingRun) {
    switch symbols.unit {
    case .byte: encodeWord(piece, mayBeWhole: ignoresMerges, into: &run)
    case .scalar:
      if ignoresMerges, let id = vocabulary[TokenBytes(utf8: piece.copied())] {
        run.tokens.append(id)
      } else {
        encodeIndependentParts(of: piece, into: &run)
      }
    }
  }

  /// Cuts where no merge can reach across, so that a long text need not be merged as a whole.
  private func encodeIndependentParts(of piece: Span<UInt8>, into run: inout EncodingRun) {
    guard piece.count > 0 else { return }
    var start = 0
    var (last, index) = piece.scalar(at: 0)
    while index < piece.count {
      let (scalar, width) = piece.scalar(at: index)
      if !merges.joins(last, scalar), symbols.id(ofScalar: last) != SymbolTable.none,
        symbols.id(ofScalar: scalar) != SymbolTable.none
      {
        encodeWord(piece.extracting(start..<index), mayBeWhole: false, into: &run)
        start = index
      }
      last = scalar
      index += width
    }
    encodeWord(piece.extracting(start..<index), mayBeWhole: false, into: &run)
  }

  private func encodeWord(
    _ word: Span<UInt8>,
    mayBeWhole: Bool,
    into run: inout EncodingRun
  ) {
    if run.cache.append(word, to: &run.tokens) { return }
    let start = run.tokens.count
    if mayBeWhole, let id = vocabulary[ByteAlphabet.spelling(of: word.copied())] {
      run.tokens.append(id)
    } else {
      run.merger.symbols.removeAll(keepingCapacity: true)
      symbols.append(word, to: &run.merger.symbols)
      run.merger.merge(with: merges, into: &run.tokens)
    }
    run.cache.insert(word, tokens: run.tokens[start...])
  }
}

/// What one call of the encoder carries along.
struct EncodingRun {
  /// The tokens so far.
  var tokens: [Int32] = []
  /// Words that were met before.
  var cache = WordCache()
  /// Scratch memory for merging.
  var merger = SymbolMerger()
}
