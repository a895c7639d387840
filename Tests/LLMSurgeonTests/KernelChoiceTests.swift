import LLMSurgeon
import Testing

@Suite("The choice of BLAS kernels")
struct KernelChoiceTests {
  static let wide: Set<String> = ["avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"]
  static let halves = wide.union(["avx512_vnni", "avx512_bf16"])
  static let medium: Set<String> = ["avx2", "fma"]

  @Test(
    "only kernels that are certain to be faster replace the library's",
    arguments: [
      (halves, "Haswell", ["Cooperlake", "SkylakeX"]), (halves, "Zen", ["Cooperlake", "SkylakeX"]),
      (wide, "Haswell", ["SkylakeX"]), (wide.union(["avx512_vnni"]), "Zen", ["SkylakeX"]),
      (wide.union(medium), "Prescott", ["SkylakeX", "Haswell"]), (medium, "Nehalem", ["Haswell"]),
      (["avx2"], "Nehalem", []), (medium, "Haswell", []), (medium, "Zen", []),
      (["avx512f"], "Haswell", []), (halves, "SkylakeX", []), (halves, "Cooperlake", []),
      (halves, "SapphireRapids", []), (halves, "NEOVERSEN1", []), ([], "Prescott", []),
    ] as [(Set<String>, String, [String])]
  )
  func better(features: Set<String>, chosen: String, expected: [String]) {
    #expect(Processor(features: features).betterKernels(than: chosen) == expected)
  }

  @Test("the variable that a person set is respected, and the program starts again finitely often")
  func wanted() {
    let processor = Processor(features: Self.halves)
    func wanted(_ choice: KernelChoice, named: String?, inUse: String) -> String? {
      choice.wanted(named: named, inUse: inUse, on: processor)
    }
    #expect(wanted(.best, named: nil, inUse: "Haswell") == "Cooperlake")
    #expect(wanted(.best, named: "Cooperlake", inUse: "Cooperlake") == nil)
    #expect(wanted(.best, named: "Haswell", inUse: "Haswell") == nil)
    #expect(wanted(.best, named: "nonsense", inUse: "Haswell") == nil)
    // A library that does not take our first name gets the next one, and then no more.
    #expect(wanted(.best, named: "Cooperlake", inUse: "Haswell") == "SkylakeX")
    #expect(wanted(.best, named: "SkylakeX", inUse: "Haswell") == nil)
    #expect(wanted(.library, named: nil, inUse: "Prescott") == nil)
    #expect(wanted(.named("zen"), named: nil, inUse: "Zen") == nil)
    #expect(wanted(.named("zen"), named: "Haswell", inUse: "Haswell") == "zen")
  }

  @Test("kernels are refused that lack an instruction set")
  func missing() {
    let processor = Processor(features: Self.wide)
    #expect(processor.missing(for: "cooperlake") == ["avx512_bf16", "avx512_vnni"])
    #expect(processor.missing(for: "Haswell") == ["avx2", "fma"])
    #expect(processor.missing(for: "SkylakeX") == [])
    #expect(processor.missing(for: "nonsense") == [])
  }

  @Test("features are read from the text of Linux, and none where it says nothing")
  func features() {
    let first = "processor\t: 0\nflags\t\t: fpu avx2 fma\nbugs\t\t: x\n\n"
    let text = first + "processor\t: 1\nflags\t\t: fpu\n"
    #expect(Processor(information: text) == Processor(features: ["fpu", "avx2", "fma"]))
    #expect(Processor(information: "") == Processor(features: []))
    #expect(Processor(information: "Features : asimd") == Processor(features: []))
  }

  @Test("nothing said means the best, 'default' the library's own, all else a name")
  func reading() {
    #expect(KernelChoice(nil) == .best)
    #expect(KernelChoice("default") == .library)
    #expect(KernelChoice("Zen") == .named("Zen"))
  }
}
