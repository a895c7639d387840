internal import Tensors

/// Reads the pickle of a state dictionary: a small machine that knows the few instructions such
/// files use, builds plain values, and never calls anything.
struct Unpickler {
  /// Why the pickle was refused, before it is known in which file.
  struct Refusal: Error {
    let fault: TorchArchiveError.Fault
    init(_ fault: TorchArchiveError.Fault) { self.fault = fault }
  }

  private let bytes: [UInt8]
  private var position = 0
  private var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  private var heap = PickleHeap()

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Reads a pickle.
  ///
  /// - Parameter bytes: The whole pickle.
  /// - Returns: The containers, and the top value.
  /// - Throws: The first fault that was found.
  static func run(_ bytes: [UInt8]) throws(Refusal) -> (heap: PickleHeap, top: PickleValue) {
    var machine = Unpickler(bytes)
    while true {
      let offset = machine.position
      let opcode = try machine.byte()
      if opcode == UInt8(ascii: ".") { break }
      try machine.execute(opcode, at: offset)
    }
    guard machine.stack.count == 1, let top = machine.stack.last else { throw machine.malformed() }
    return (machine.heap, top)
  }

  private func malformed() -> Refusal { Refusal(.invalidPickle(offset: position)) }

  private mutating func execute(_ opcode: UInt8, at offset: Int) throws(Refusal) {
    switch opcode {
    case 0x80: try protocolVersion()
    case UInt8(ascii: "c"): try global()
    case UInt8(ascii: "X"): try text()
    case UInt8(ascii: "K"): stack.append(.integer(try natural(1)))
    case UInt8(ascii: "M"): stack.append(.integer(try natural(2)))
    case UInt8(ascii: "J"): stack.append(.integer(try signed(4)))
    case 0x8A: stack.append(.integer(try signed(try natural(1))))
    case 0x88: stack.append(.bool(true))
    case 0x89: stack.append(.bool(false))
    case UInt8(ascii: "N"): stack.append(.none)
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: ")"): stack.append(heap.tuple([]))
    case 0x85: try tuple(1)
    case 0x86: try tuple(2)
    case 0x87: try tuple(3)
    case UInt8(ascii: "t"): stack.append(heap.tuple(try sinceMark()))
    case UInt8(ascii: "}"): stack.append(heap.dictionary())
    case UInt8(ascii: "s"): try setItems(try top(2))
    case UInt8(ascii: "u"): try setItems(try sinceMark())
    case UInt8(ascii: "q"): memo[try natural(1)] = try peek()
    case UInt8(ascii: "r"): memo[try natural(4)] = try peek()
    case UInt8(ascii: "h"): try recall(try natural(1))
    case UInt8(ascii: "j"): try recall(try natural(4))
    case UInt8(ascii: "Q"): try persistentID()
    case UInt8(ascii: "R"): try reduce()
    case UInt8(ascii: "b"): try build()
    default: throw Refusal(.refusedOpcode(opcode, offset: offset))
    }
  }
}

// Reading the instruction stream.
extension Unpickler {
  private mutating func byte() throws(Refusal) -> UInt8 {
    guard position < bytes.count else { throw malformed() }
    position += 1
    return bytes[position - 1]
  }

  private mutating func take(_ count: Int) throws(Refusal) -> ArraySlice<UInt8> {
    guard count <= bytes.count - position else { throw malformed() }
    position += count
    return bytes[position - count..<position]
  }

  /// An integer of up to four bytes without a sign.
  private mutating func natural(_ byteCount: Int) throws(Refusal) -> Int {
    try take(byteCount).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// An integer of up to eight bytes in two's complement.
  private mutating func signed(_ byteCount: Int) throws(Refusal) -> Int {
    guard byteCount <= 8 else { throw malformed() }
    let digits = try take(byteCount)
    let start = (digits.last ?? 0) >= 0x80 ? -1 : 0
    return digits.reversed().reduce(start) { $0 << 8 | Int($1) }
  }

  private mutating func line() throws(Refusal) -> String {
    guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")),
      let text = String(validating: bytes[position..<end], as: UTF8.self)
    else { throw malformed() }
    position = end + 1
    return text
  }

  private mutating func protocolVersion() throws(Refusal) {
    guard (2...5).contains(try byte()) else { throw malformed() }
  }

  private mutating func text() throws(Refusal) {
    let utf8 = try take(try natural(4))
    guard String(validating: utf8, as: UTF8.self) != nil else { throw malformed() }
    stack.append(.text(Array(utf8)))
  }

  private mutating func global() throws(Refusal) {
    let (module, name) = (try line(), try line())
    guard let global = PickleGlobal(module: module, name: name) else {
      throw Refusal(.refusedGlobal("\(module).\(name)"))
    }
    stack.append(.global(global))
  }
}

// Working on the stack.
extension Unpickler {
  /// The lowest place that may be popped: what is below the last mark is out of reach.
  private var floor: Int { marks.last ?? 0 }

  private func peek() throws(Refusal) -> PickleValue {
    guard stack.count > floor, let value = stack.last else { throw malformed() }
    return value
  }

  private mutating func top(_ count: Int) throws(Refusal) -> [PickleValue] {
    guard stack.count - floor >= count else { throw malformed() }
    let values = Array(stack.suffix(count))
    stack.removeLast(count)
    return values
  }

  private mutating func sinceMark() throws(Refusal) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw malformed() }
    let values = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return values
  }

  private mutating func tuple(_ count: Int) throws(Refusal) {
    stack.append(heap.tuple(try top(count)))
  }

  private mutating func recall(_ index: Int) throws(Refusal) {
    guard let value = memo[index] else { throw malformed() }
    stack.append(value)
  }

  private mutating func setItems(_ items: [PickleValue]) throws(Refusal) {
    guard case .dictionary(let slot) = try peek(), items.count.isMultiple(of: 2) else {
      throw malformed()
    }
    for index in stride(from: 0, to: items.count, by: 2) {
      heap.dictionaries[slot].append((items[index], items[index + 1]))
    }
  }

  /// Attributes of a dictionary (PyTorch stores versions of modules there) have no meaning here.
  private mutating func build() throws(Refusal) {
    _ = try top(1)
    guard case .dictionary = try peek() else { throw malformed() }
  }

  private mutating func persistentID() throws(Refusal) {
    guard case .tuple(let slot) = try top(1)[0] else { throw malformed() }
    let parts = heap.tuples[slot]
    guard parts.count == 5, parts[0] == .text(Array("storage".utf8)),
      case .global(.storage(let elementType)) = parts[1], case .text(let key) = parts[2],
      case .text = parts[3], case .integer(let count) = parts[4], count >= 0
    else { throw malformed() }
    heap.storages.append(
      PickleStorage(
        elementType: elementType,
        key: String(decoding: key, as: UTF8.self),
        count: count
      )
    )
    stack.append(.storage(heap.storages.count - 1))
  }

  private mutating func reduce() throws(Refusal) {
    let parts = try top(2)
    guard case .global(let global) = parts[0], case .tuple(let slot) = parts[1] else {
      throw malformed()
    }
    let arguments = heap.tuples[slot]
    switch global {
    case .orderedDictionary where arguments.isEmpty: stack.append(heap.dictionary())
    case .rebuildTensor: stack.append(try tensor(arguments))
    default: throw Refusal(.refusedCall(global.text))
    }
  }

  /// A tensor from the arguments storage, offset, size, strides, requires-gradient, hooks.
  private mutating func tensor(_ arguments: [PickleValue]) throws(Refusal) -> PickleValue {
    guard (6...7).contains(arguments.count), case .storage(let storage) = arguments[0],
      case .integer(let offset) = arguments[1], offset >= 0,
      let shape = naturals(arguments[2]), let strides = naturals(arguments[3]),
      shape.count == strides.count, case .bool = arguments[4], case .dictionary = arguments[5]
    else { throw Refusal(.refusedCall(PickleGlobal.rebuildTensor.text)) }
    heap.tensors.append(
      PickleTensor(storage: storage, offset: offset, shape: shape, strides: strides)
    )
    return .tensor(heap.tensors.count - 1)
  }

  /// The elements, if the value is a tuple of integers that are not negative.
  private func naturals(_ value: PickleValue) -> [Int]? {
    guard case .tuple(let slot) = value else { return nil }
    var numbers: [Int] = []
    for element in heap.tuples[slot] {
      guard case .integer(let number) = element, number >= 0 else { return nil }
      numbers.append(number)
    }
    return numbers
  }
}
