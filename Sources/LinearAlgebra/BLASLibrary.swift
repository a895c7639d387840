import COpenBLAS

/// The library that computes matrix products, and which of its kernels it chose.
///
/// OpenBLAS holds a set of kernels for each kind of processor and takes one when it is loaded, by the
/// processor's model or by an environment variable. Sums are taken in another order by another set, so
/// the last bits of results depend on it.
package enum BLASLibrary {
  /// The environment variable that names the set of kernels to take, read when the library is loaded.
  package static let variable = "OPENBLAS_CORETYPE"

  /// The set of kernels in use, such as `SkylakeX`.
  package static var kernels: String {
    // SAFETY: the library answers with a constant text that ends in zero, or with nothing.
    unsafe openblas_get_corename().map { unsafe String(cString: $0) } ?? "unknown"
  }

  /// The library and its version, such as `OpenBLAS 0.3.21`.
  package static var version: String {
    // SAFETY: as above.
    let text = unsafe openblas_get_config().map { unsafe String(cString: $0) } ?? ""
    return text.split(separator: " ").prefix(2).joined(separator: " ")
  }
}
