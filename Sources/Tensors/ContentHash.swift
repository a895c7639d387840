internal import CXXHash

/// A 128-bit fingerprint of content (XXH3); tells files apart, but is no protection against forgery.
package struct ContentHash: Hashable, Sendable, CustomStringConvertible {
  /// The upper 64 bits.
  package let high: UInt64
  /// The lower 64 bits.
  package let low: UInt64

  /// The 32 hexadecimal digits that `xxh128sum` prints.
  package var description: String {
    Self.digits(high) + Self.digits(low)
  }

  private static func digits(_ half: UInt64) -> String {
    let digits = String(half, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// The fingerprint of bytes that are all at hand.
  package init(of bytes: RawSpan) {
    var hasher = ContentHasher()
    hasher.update(bytes)
    self = hasher.finalize()
  }

  fileprivate init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }
}

/// Computes a ``ContentHash`` of bytes that come in pieces; how they are cut makes no difference.
@safe package struct ContentHasher: ~Copyable {
  private let state: OpaquePointer

  /// A hasher that has seen nothing.
  package init() {
    // SAFETY: takes nothing, and returns an owned state or null.
    guard let state = unsafe XXH3_createState() else {
      preconditionFailure("there is no memory for a hash state")
    }
    // SAFETY: the state was just made; this value owns it until it is freed in `deinit`.
    unsafe self.state = state
    unsafe _ = XXH3_128bits_reset(state)
  }

  /// Adds bytes.
  package mutating func update(_ bytes: RawSpan) {
    unsafe bytes.withUnsafeBytes { buffer in
      // SAFETY: the buffer is read during the call only.
      unsafe _ = XXH3_128bits_update(state, buffer.baseAddress, buffer.count)
    }
  }

  /// Adds bytes.
  package mutating func update(_ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes { buffer in
      // SAFETY: the buffer is read during the call only.
      unsafe _ = XXH3_128bits_update(state, buffer.baseAddress, buffer.count)
    }
  }

  /// Adds an integer as eight little-endian bytes: sizes between fields keep them apart.
  package mutating func update(_ value: Int) {
    // SAFETY: the eight bytes of the copy are read during the call only.
    unsafe withUnsafeBytes(of: value.littleEndian) { buffer in
      unsafe _ = XXH3_128bits_update(state, buffer.baseAddress, buffer.count)
    }
  }

  /// The fingerprint of everything that was added.
  package consuming func finalize() -> ContentHash {
    // SAFETY: the state lives until `deinit`.
    let digest = unsafe XXH3_128bits_digest(state)
    return ContentHash(high: digest.high64, low: digest.low64)
  }

  deinit {
    // SAFETY: made in `init`, freed only here.
    unsafe _ = XXH3_freeState(state)
  }
}
