import Tensors
import TestKit
import Testing
import TorchArchive

@Suite("Hostile PyTorch archives")
struct HostilePickleTests {
  typealias Fault = TorchArchiveError.Fault

  static func fault(_ archive: TestArchive) -> Fault? {
    do {
      _ = try TorchArchive(archive.file)
      return nil
    } catch { return error.fault }
  }

  static func fault(pickle: [UInt8]) -> Fault? { fault(TestArchive(pickle: pickle)) }

  /// The fault of a file with the single tensor "w" on a storage of `count` numbers.
  static func fault(_ offset: Int, _ shape: [Int], _ strides: [Int], claimed: Int = 6) -> Fault? {
    let tensor = Pickle.tensor(
      Pickle.storage(count: claimed),
      offset: offset,
      shape: shape,
      strides: strides
    )
    return fault(
      TestArchive(
        pickle: Pickle.dictionary([("w", tensor)]),
        storages: ["0": [UInt8](repeating: 1, count: 24)]
      )
    )
  }

  @Test(
    "functions and classes that weights do not need are refused by name",
    arguments: [
      ("os", "system"), ("builtins", "eval"), ("torch", "load"), ("torch", "FloatTensor"),
      ("torch.storage", "_load_from_bytes"), ("collections", "OrderedDict.fromkeys"), ("", ""),
    ]
  )
  func globals(module: String, name: String) {
    let call =
      Pickle.start + Pickle.global(module, name) + Pickle.tuple(Pickle.text("touch /tmp/x"))
      + Array("R.".utf8)
    #expect(Self.fault(pickle: call) == .refusedGlobal("\(module).\(name)"))
    let error = #expect(throws: TorchArchiveError.self) {
      try TorchArchive(TestArchive(pickle: call).file)
    }
    #expect(error?.description.contains("refuses pickle global \(module).\(name)") == true)
  }

  @Test(
    "instructions that weights do not need are refused",
    arguments: [
      UInt8(ascii: "i"), UInt8(ascii: "o"), 0x81, 0x92, 0x93, 0x82, 0x83, 0x84, 0x95, 0x8B, 0x97,
      UInt8(ascii: "P"), UInt8(ascii: "I"), UInt8(ascii: "S"), 0, 0xFF,
    ]
  )
  func opcodes(opcode: UInt8) {
    #expect(
      Self.fault(pickle: Pickle.start + [opcode] + Pickle.stop)
        == .refusedOpcode(opcode, offset: 2)
    )
  }

  @Test(
    "pickles that end early or take what is not there are refused",
    arguments: [
      "", ".", "(.", "t.", "R.", "u.", "}u.", "}(X", "s.", "}s.", "b.", "}b.", "Q.", ")Q.", "q",
      "q\0.",
      "h\0.", "j\0\0\0\0.", "\u{5}", ")).", "K", "J\0\0", "ca", "ca\n", "()(R.", "(q\0.",
      "}(X\u{1}\0\0\0au.",
    ]
  )
  func malformed(text: String) {
    let pickle = Pickle.start + Array(text.utf8)
    switch Self.fault(pickle: pickle) {
    case .invalidPickle, .refusedOpcode: break
    case let other: Issue.record("\(String(describing: other))")
    }
  }

  @Test("what is no dictionary of tensors is refused")
  func otherValues() {
    #expect(Self.fault(pickle: Pickle.start + Array(").".utf8)) == .noStateDictionary)
    #expect(Self.fault(pickle: Pickle.dictionary([("w", [0x88])])) == .notATensor("w"))
    #expect(Self.fault(pickle: Pickle.start + Array("}K\u{1}}s.".utf8)) == .noStateDictionary)
    let call = Pickle.global("collections", "OrderedDict") + Pickle.tuple([0x88])
    #expect(
      Self.fault(pickle: Pickle.start + call + Array("R.".utf8))
        == .refusedCall("collections.OrderedDict")
    )
    let tensor = Pickle.tensor(Pickle.storage(count: 0), shape: [0], strides: [1])
    let twice = TestArchive(
      pickle: Pickle.dictionary([("w", tensor), ("w", tensor)]),
      storages: ["0": []]
    )
    #expect(Self.fault(twice) == .duplicateName("w"))
    #expect(
      Self.fault(pickle: Pickle.dictionary([("w", tensor)])) == .missingEntry("m/data/0")
    )
  }

  @Test("nesting of any depth does not exhaust the stack")
  func nesting() {
    let deep = Pickle.start + Array(")".utf8) + [UInt8](repeating: 0x85, count: 1_000_000)
    #expect(Self.fault(pickle: deep + Pickle.stop) == .noStateDictionary)
    let marks = Pickle.start + [UInt8](repeating: UInt8(ascii: "("), count: 1_000_000)
    #expect(Self.fault(pickle: marks + Pickle.stop) == .invalidPickle(offset: 1_000_003))
  }

  @Test(
    "tensors within their storage are read",
    arguments: [
      (0, [2, 3], [3, 1]), (0, [3, 2], [1, 3]), (5, [1], [1]), (6, [0], [1]), (0, [], []),
      (0, [1, 6], [1_000_000, 1]), (0, [0, .max, .max], [1, .max, .max]),
    ]
  )
  func inside(offset: Int, shape: [Int], strides: [Int]) {
    #expect(Self.fault(offset, shape, strides) == nil)
  }

  @Test(
    "tensors that reach beyond their storage, or repeat it, are refused",
    arguments: [
      (1, [2, 3], [3, 1]), (0, [7], [1]), (0, [2], [6]), (7, [0], [1]), (6, [], []),
      (0, [2], [.max]), (0, [2, 2], [.max, .max]), (.max, [1], [1]), (0, [.max], [1]),
      (0, [1 << 40], [0]), (0, [1 << 32, 1 << 32], [0, 0]), (0, [7], [0]),
    ]
  )
  func outside(offset: Int, shape: [Int], strides: [Int]) {
    #expect(Self.fault(offset, shape, strides) == .outOfBounds("w"))
  }

  @Test(
    "a storage that claims another size than its entry is refused",
    arguments: [0, 5, 7, 1 << 62, Int.max]
  )
  func storageSize(claimed: Int) {
    #expect(Self.fault(0, [0], [1], claimed: claimed) == .outOfBounds("w"))
  }

  @Test("negative and mismatched extents are refused")
  func extents() {
    let refused = Fault.refusedCall("torch._utils._rebuild_tensor_v2")
    #expect(Self.fault(-1, [1], [1]) == refused)
    #expect(Self.fault(0, [-1], [1]) == refused)
    #expect(Self.fault(0, [1], [-1]) == refused)
    #expect(Self.fault(0, [1], [1, 1]) == refused)
  }
}
