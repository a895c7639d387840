import COpenBLAS

/// A read-only rectangle of numbers inside a larger array, row by row.
package struct MatrixView<Scalar: BLASScalar>: ~Escapable {
  /// The numbers from the rectangle's first entry on.
  package let elements: Span<Scalar>
  /// The number of rows.
  package let rows: Int
  /// The number of columns.
  package let columns: Int
  /// The distance between the starts of two rows, in elements.
  package let stride: Int
  /// Whether a product reads the rectangle with rows and columns exchanged.
  package var isTransposed = false

  /// Views `rows` rows of `columns` entries each, `stride` apart, from the start of `elements`.
  @_lifetime(copy elements)
  package init(_ elements: Span<Scalar>, rows: Int, columns: Int, stride: Int? = nil) {
    let stride = stride ?? columns
    precondition(stride >= columns, "rows do not overlap")
    precondition(
      rows == 0 || columns == 0 || (rows - 1) * stride + columns <= elements.count,
      "the rectangle lies within the array"
    )
    self.elements = elements
    self.rows = rows
    self.columns = columns
    self.stride = stride
  }

  /// The same rectangle, read with rows and columns exchanged.
  package var transposed: MatrixView {
    @_lifetime(copy self) get {
      var copy = self
      copy.isTransposed.toggle()
      return copy
    }
  }

  var outerExtent: Int { isTransposed ? columns : rows }
  var innerExtent: Int { isTransposed ? rows : columns }
}

extension MatrixView: Copyable {}

extension Matrix {
  /// The whole matrix, for reading.
  package var view: MatrixView<Scalar> {
    @_lifetime(borrow self) get { MatrixView(elements, rows: rows, columns: columns) }
  }

  /// The whole matrix, read with rows and columns exchanged.
  package var transposedView: MatrixView<Scalar> {
    @_lifetime(borrow self) get { view.transposed }
  }
}

/// Computes `result = scale · left · right + keeping · result` on the calling thread.
///
/// - Parameters:
///   - left: Shape `[m, k]` as read.
///   - right: Shape `[k, n]` as read.
///   - scale: The factor of the product.
///   - keeping: The factor of what `result` held; with 0, NaN in it is overwritten.
///   - result: Receives shape `[m, n]`, from its first element on.
///   - stride: The distance between the starts of two rows of `result`; `n` unless stated.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
package func multiply<Scalar: BLASScalar>(
  _ left: MatrixView<Scalar>,
  _ right: MatrixView<Scalar>,
  scale: Scalar = 1,
  keeping: Scalar = 0,
  into result: inout MutableSpan<Scalar>,
  stride: Int? = nil
) {
  let (m, n) = (left.outerExtent, right.isTransposed ? right.rows : right.columns)
  let stride = stride ?? n
  precondition(
    m == 0 || n == 0 || (m - 1) * stride + n <= result.count,
    "the result has room"
  )
  // SAFETY: the result's extent was checked above, the views checked theirs when made.
  unsafe result.withUnsafeMutableBufferPointer { buffer in
    unsafe multiplyUnchecked(
      left,
      right,
      scale: scale,
      keeping: keeping,
      into: buffer.baseAddress,
      stride: stride
    )
  }
}

/// The product of ``multiply(_:_:scale:keeping:into:stride:)`` into memory that the caller checked.
func multiplyUnchecked<Scalar: BLASScalar>(
  _ left: MatrixView<Scalar>,
  _ right: MatrixView<Scalar>,
  scale: Scalar,
  keeping: Scalar,
  into result: UnsafeMutablePointer<Scalar>?,
  stride: Int
) {
  let (m, k) = (left.outerExtent, left.innerExtent)
  let n = right.isTransposed ? right.rows : right.columns
  precondition(k == (right.isTransposed ? right.columns : right.rows), "inner extents agree")
  guard m > 0, n > 0 else { return }
  unsafe left.elements.withUnsafeBufferPointer { leftBuffer in
    unsafe right.elements.withUnsafeBufferPointer { rightBuffer in
      unsafe Scalar.kernels.product(
        CblasRowMajor,
        left.isTransposed ? CblasTrans : CblasNoTrans,
        right.isTransposed ? CblasTrans : CblasNoTrans,
        Int32(m),
        Int32(n),
        Int32(k),
        scale,
        leftBuffer.baseAddress,
        Int32(max(1, left.stride)),
        rightBuffer.baseAddress,
        Int32(max(1, right.stride)),
        keeping,
        result,
        Int32(max(1, stride))
      )
    }
  }
}
