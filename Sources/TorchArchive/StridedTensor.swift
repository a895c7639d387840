internal import Tensors

/// A tensor within a storage, its extents checked.
struct StridedTensor: Equatable {
  let description: TensorDescription
  /// The bytes from its first to its last element.
  private let range: Range<Int>
  /// The steps from one index to the next, in elements.
  private let strides: [Int]

  /// Checks that a tensor lies within its storage; nil if it reaches beyond it, or has more elements
  /// than it (a few bytes could otherwise pretend to be a tensor of any size).
  ///
  /// - Parameters:
  ///   - tensor: The tensor.
  ///   - elementType: How its numbers are stored.
  ///   - storage: Where the bytes of the storage are in the file.
  init?(_ tensor: PickleTensor, elementType: ElementType, storage: Range<Int>) {
    let available = storage.count / elementType.byteCount
    guard let count = TensorDescription.checkedCount(tensor.shape), count <= available,
      TensorDescription.checkedByteCount(elementType, tensor.shape) != nil,
      tensor.offset <= available
    else { return nil }
    description = TensorDescription(elementType: elementType, shape: tensor.shape)
    strides = tensor.strides
    var reach = count == 0 ? 0 : 1
    for (extent, stride) in zip(tensor.shape, tensor.strides) where count > 0 {
      let (step, tooFar) = (extent - 1).multipliedReportingOverflow(by: stride)
      let (sum, overflow) = reach.addingReportingOverflow(step)
      guard !tooFar, !overflow else { return nil }
      reach = sum
    }
    guard reach <= available - tensor.offset else { return nil }
    let start = storage.lowerBound + tensor.offset * elementType.byteCount
    range = start..<start + reach * elementType.byteCount
  }

  /// Where the elements are if they lie in a row, one after the other; nil otherwise.
  var contiguousRange: Range<Int>? {
    guard description.count > 0 else { return range }
    var step = 1
    for (extent, stride) in zip(description.shape, strides).reversed() where extent != 1 {
      guard stride == step else { return nil }
      step *= extent
    }
    return range
  }

  /// A copy of the elements, row by row.
  func gather(_ file: MappedFile) -> [UInt8] {
    if let contiguousRange { return file.copy(contiguousRange) }
    let size = description.elementType.byteCount
    var result: [UInt8] = []
    result.reserveCapacity(description.byteCount)
    var index = [Int](repeating: 0, count: description.shape.count)
    var position = 0
    file.withBytes { bytes in
      unsafe bytes.extracting(range).withUnsafeBytes { stored in
        for _ in 0..<description.count {
          // SAFETY: every index reaches an element within the range, as `init` has checked.
          unsafe result += stored[position * size..<(position + 1) * size]
          advance(&index, &position)
        }
      }
    }
    return result
  }

  /// Moves to the next element, row by row.
  private func advance(_ index: inout [Int], _ position: inout Int) {
    for axis in index.indices.reversed() {
      index[axis] += 1
      position += strides[axis]
      guard index[axis] == description.shape[axis] else { return }
      position -= index[axis] * strides[axis]
      index[axis] = 0
    }
  }
}
