import LinearAlgebra
import Tensors

/// Hidden states, or gradients with respect to them, of all windows at some places of the model.
///
/// A place is called a plane; windows come and go in batches, always the same ones. The store keeps
/// them in memory or in a file, which computes the same.
struct ActivationStore {
  /// The shape of what is kept.
  struct Shape: Equatable {
    /// The rows of each batch.
    var batches: [Range<Int>]
    /// The numbers of a row.
    var width: Int
    /// The number of places.
    var planes: Int

    /// The rows of all batches.
    var rows: Int { batches.last?.upperBound ?? 0 }
    /// The numbers that are kept at most.
    var count: Int { rows * width * planes }
  }

  /// One batch in memory.
  private enum Batch {
    case single([Float])
    case half([UInt16])
  }

  /// The batches.
  let shape: Shape
  private let precision: ScratchPrecision
  private let file: ScratchFile?
  /// By plane and batch; nil where nothing is kept, and where it is in the file.
  private var memory: [[Batch?]]

  /// An empty store.
  ///
  /// - Parameters:
  ///   - shape: What will be kept.
  ///   - precision: How numbers are kept.
  ///   - directory: Where the file lies; nil to keep everything in memory.
  /// - Throws: `FileError` if there is no room for the file.
  init(_ shape: Shape, precision: ScratchPrecision, directory: String?) throws {
    let byteCount = shape.count * precision.byteCount
    self.init(
      shape,
      precision: precision,
      file: try directory.map { try ScratchFile(in: $0, byteCount: byteCount) }
    )
  }

  /// A store with what a file of its size holds.
  ///
  /// - Parameters:
  ///   - shape: What will be kept.
  ///   - precision: How numbers are kept.
  ///   - file: Where; nil to keep everything in memory, where nothing is yet.
  init(_ shape: Shape, precision: ScratchPrecision, file: ScratchFile?) {
    self.shape = shape
    self.precision = precision
    self.file = file
    memory = Array(
      repeating: Array(repeating: nil, count: shape.batches.count),
      count: file == nil ? shape.planes : 0
    )
  }

  /// Keeps a batch.
  ///
  /// - Parameters:
  ///   - matrix: Shape `[rows of the batch, width]`.
  ///   - plane: The place.
  ///   - batch: The number of the batch.
  /// - Throws: `FileError`.
  mutating func keep(_ matrix: Matrix<Float>, plane: Int, batch: Int) throws {
    precondition(
      matrix.rows == shape.batches[batch].count && matrix.columns == shape.width,
      "a batch of this store"
    )
    let kept: Batch =
      switch precision {
      case .float32: .single(matrix.storage)
      case .bfloat16: .half(matrix.storage.map(HalfPrecision.bfloat16))
      }
    guard let file else {
      memory[plane][batch] = kept
      return
    }
    let offset = offset(plane: plane, batch: batch)
    switch kept {
    // SAFETY: floats and integers have no padding.
    case .single(let values): try unsafe file.write(values.span.bytes, at: offset)
    case .half(let values): try unsafe file.write(values.span.bytes, at: offset)
    }
  }

  /// A batch that was kept, which stays.
  ///
  /// - Parameters:
  ///   - batch: The number of the batch.
  ///   - plane: The place.
  /// - Returns: Shape `[rows of the batch, width]`.
  /// - Throws: `FileError`.
  func batch(_ batch: Int, plane: Int) throws -> Matrix<Float> {
    let rows = shape.batches[batch].count
    let kept =
      try file.map {
        try Self.read(
          $0,
          count: rows * shape.width,
          at: offset(plane: plane, batch: batch),
          precision
        )
      } ?? memory[plane][batch]
    let values: [Float] =
      switch kept {
      case .single(let values): values
      case .half(let values): values.map(HalfPrecision.float(bfloat16:))
      case nil: preconditionFailure("a batch that was kept")
      }
    return Matrix(rows: rows, columns: shape.width, storage: values)
  }

  /// A batch that was kept and will not be asked for again before it is kept anew: its memory is the
  /// caller's.
  ///
  /// - Parameters:
  ///   - batch: The number of the batch.
  ///   - plane: The place.
  /// - Returns: Shape `[rows of the batch, width]`.
  /// - Throws: `FileError`.
  mutating func take(_ batch: Int, plane: Int) throws -> Matrix<Float> {
    let matrix = try self.batch(batch, plane: plane)
    if file == nil { memory[plane][batch] = nil }
    return matrix
  }

  /// Brings to the disk what is kept in a file.
  ///
  /// - Throws: `FileError`.
  func synchronize() throws { try file?.synchronize() }

  private func offset(plane: Int, batch: Int) -> Int {
    (plane * shape.rows + shape.batches[batch].lowerBound) * shape.width * precision.byteCount
  }

  private static func read(
    _ file: ScratchFile,
    count: Int,
    at offset: Int,
    _ precision: ScratchPrecision
  ) throws -> Batch {
    switch precision {
    case .float32:
      var values = [Float](repeating: 0, count: count)
      try values.fill(from: file, at: offset)
      return .single(values)
    case .bfloat16:
      var values = [UInt16](repeating: 0, count: count)
      try values.fill(from: file, at: offset)
      return .half(values)
    }
  }
}

extension Array where Element: BitwiseCopyable {
  /// Overwrites all numbers by those of a file.
  fileprivate mutating func fill(from file: ScratchFile, at offset: Int) throws {
    var span = mutableSpan
    // SAFETY: every bit pattern is a number of these types.
    var bytes = unsafe span.mutableBytes
    try file.read(into: &bytes, at: offset)
  }
}
