internal import Tensors

/// What a pickle of weights can hold.
///
/// Containers are numbers of slots in ``PickleHeap``, so that no nesting, however deep, recurses.
enum PickleValue: Equatable {
  case none
  case bool(Bool)
  case integer(Int)
  case text([UInt8])
  case tuple(Int)
  case dictionary(Int)
  case global(PickleGlobal)
  case storage(Int)
  case tensor(Int)
}

/// The functions and classes that a pickle of weights may name; none is ever executed.
enum PickleGlobal: Equatable {
  case orderedDictionary
  case rebuildTensor
  case storage(ElementType)

  /// Looks up a name as it stands in the pickle; nil if it is not on the list.
  init?(module: String, name: String) {
    switch (module, name) {
    case ("collections", "OrderedDict"): self = .orderedDictionary
    case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
    case ("torch", _):
      guard let type = Self.storages[name] else { return nil }
      self = .storage(type)
    default: return nil
    }
  }

  private static let storages: [String: ElementType] = [
    "DoubleStorage": .float64, "FloatStorage": .float32, "HalfStorage": .float16,
    "BFloat16Storage": .bfloat16, "LongStorage": .int64, "IntStorage": .int32,
    "ShortStorage": .int16, "CharStorage": .int8, "ByteStorage": .uint8, "BoolStorage": .bool,
  ]

  /// The name for messages.
  var text: String {
    switch self {
    case .orderedDictionary: "collections.OrderedDict"
    case .rebuildTensor: "torch._utils._rebuild_tensor_v2"
    case .storage: "a torch storage"
    }
  }
}

/// A run of numbers in the archive.
struct PickleStorage: Equatable {
  /// How its numbers are stored.
  let elementType: ElementType
  /// The name of its entry.
  let key: String
  /// The number of its elements.
  let count: Int
}

/// A tensor as the pickle describes it, not checked against its storage.
struct PickleTensor: Equatable {
  /// Which storage, by slot.
  let storage: Int
  /// The first element, in elements from the storage's start.
  let offset: Int
  /// The extents, outermost first.
  let shape: [Int]
  /// The steps from one index to the next, in elements.
  let strides: [Int]
}

/// The containers of a pickle.
struct PickleHeap {
  var tuples: [[PickleValue]] = []
  var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []
  var storages: [PickleStorage] = []
  var tensors: [PickleTensor] = []

  /// Stores a tuple.
  mutating func tuple(_ elements: [PickleValue]) -> PickleValue {
    tuples.append(elements)
    return .tuple(tuples.count - 1)
  }

  /// Makes an empty dictionary.
  mutating func dictionary() -> PickleValue {
    dictionaries.append([])
    return .dictionary(dictionaries.count - 1)
  }
}
