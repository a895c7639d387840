internal import Tensors

/// Numbers of each layer that are needed again later, in memory or in a file without a name.
///
/// Where they are kept changes no bit of them. Copies of a value that keeps them in a file share it.
package struct LayerNumbers<Number: BitwiseCopyable & AdditiveArithmetic & Sendable>: Sendable {
  /// How many numbers each layer has.
  package let counts: [Int]
  /// Where each layer begins, in numbers.
  private let offsets: [Int]
  private let file: ScratchFile?
  /// By layer; empty where nothing is kept, and where it is in the file.
  private var memory: [[Number]]
  private var isKept: [Bool]

  /// Makes room for the numbers of all layers, of which none is kept yet.
  ///
  /// - Parameters:
  ///   - counts: How many numbers each layer has.
  ///   - directory: Where the file lies; nil to keep everything in memory.
  /// - Throws: `FileError` if there is no room for the file.
  package init(counts: [Int], directory: String?) throws {
    self.counts = counts
    var offsets: [Int] = []
    var end = 0
    for count in counts {
      offsets.append(end)
      end += count
    }
    self.offsets = offsets
    let byteCount = end * MemoryLayout<Number>.stride
    file = try directory.map { try ScratchFile(in: $0, byteCount: byteCount) }
    memory = counts.map { _ in [] }
    isKept = counts.map { _ in false }
  }

  /// Keeps the numbers of a layer, in place of what was kept of it.
  ///
  /// - Parameters:
  ///   - numbers: As many as the layer has.
  ///   - layer: The layer.
  /// - Throws: `FileError`.
  package mutating func keep(_ numbers: [Number], layer: Int) throws {
    precondition(numbers.count == counts[layer], "the numbers of this layer")
    isKept[layer] = true
    guard let file else {
      memory[layer] = numbers
      return
    }
    // SAFETY: the element types are numbers, which have no padding.
    guard !numbers.isEmpty else { return }
    try unsafe file.write(numbers.span.bytes, at: offsets[layer] * MemoryLayout<Number>.stride)
  }

  /// The numbers of a layer.
  ///
  /// - Parameter layer: The layer.
  /// - Returns: All that was kept, or nil if nothing was.
  /// - Throws: `FileError`.
  package func numbers(layer: Int) throws -> [Number]? {
    guard isKept[layer] else { return nil }
    return try file == nil ? memory[layer] : numbers(layer: layer, 0..<counts[layer])
  }

  /// Some consecutive numbers of a layer that were kept.
  ///
  /// - Parameters:
  ///   - layer: The layer.
  ///   - range: Their places within the layer.
  /// - Returns: The numbers, in order.
  /// - Throws: `FileError`.
  package func numbers(layer: Int, _ range: Range<Int>) throws -> [Number] {
    precondition(isKept[layer] && range.upperBound <= counts[layer], "numbers that were kept")
    guard let file else { return Array(memory[layer][range]) }
    let offset = (offsets[layer] + range.lowerBound) * MemoryLayout<Number>.stride
    var result = [Number](repeating: .zero, count: range.count)
    guard !range.isEmpty else { return result }
    var span = result.mutableSpan
    // SAFETY: every bit pattern is a number of these types.
    var bytes = unsafe span.mutableBytes
    try file.read(into: &bytes, at: offset)
    return result
  }
}
