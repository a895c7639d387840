import COpenBLAS
package import RealModule

/// A number type that BLAS computes with: `Float` or `Double`.
package protocol BLASScalar: Real, BinaryFloatingPoint, BitwiseCopyable, Sendable {
  /// The library's routines for this type; used only inside this module.
  @unsafe static var kernels: BLASKernels<Self> { get }
}

/// The BLAS routines of one number type, as functions.
///
/// Every call is row-major and runs on the calling thread alone: parallelism is above BLAS, in
/// fixed tiles, so a result does not depend on the number of threads.
@unsafe
package struct BLASKernels<Scalar>: Sendable {
  typealias Product =
    @Sendable (
      CBLAS_ORDER, CBLAS_TRANSPOSE, CBLAS_TRANSPOSE, Int32, Int32, Int32, Scalar,
      UnsafePointer<Scalar>?, Int32, UnsafePointer<Scalar>?, Int32, Scalar,
      UnsafeMutablePointer<Scalar>?, Int32
    ) -> Void
  typealias TriangularSolve =
    @Sendable (
      CBLAS_ORDER, CBLAS_SIDE, CBLAS_UPLO, CBLAS_TRANSPOSE, CBLAS_DIAG, Int32, Int32, Scalar,
      UnsafePointer<Scalar>?, Int32, UnsafeMutablePointer<Scalar>?, Int32
    ) -> Void

  typealias RankUpdate =
    @Sendable (
      CBLAS_ORDER, CBLAS_UPLO, CBLAS_TRANSPOSE, Int32, Int32, Scalar, UnsafePointer<Scalar>?,
      Int32, Scalar, UnsafeMutablePointer<Scalar>?, Int32
    ) -> Void

  let product: Product
  let rankUpdate: RankUpdate
  let triangularSolve: TriangularSolve
}

/// Tells OpenBLAS once, before its first use, to stay on the calling thread.
let libraryThreadsAreOff: Bool = {
  openblas_set_num_threads(1)
  return true
}()

extension Float: BLASScalar {
  @unsafe package static let kernels: BLASKernels<Float> = {
    precondition(libraryThreadsAreOff, "OpenBLAS is told its thread count before its first use")
    // SAFETY: the routines of this type, whose pointers the callers check.
    return unsafe BLASKernels(
      product: cblas_sgemm,
      rankUpdate: cblas_ssyrk,
      triangularSolve: cblas_strsm
    )
  }()
}

extension Double: BLASScalar {
  @unsafe package static let kernels: BLASKernels<Double> = {
    precondition(libraryThreadsAreOff, "OpenBLAS is told its thread count before its first use")
    // SAFETY: the routines of this type, whose pointers the callers check.
    return unsafe BLASKernels(
      product: cblas_dgemm,
      rankUpdate: cblas_dsyrk,
      triangularSolve: cblas_dtrsm
    )
  }()
}
