import Foundation

/// What the processor can do, as the operating system says.
package struct Processor: Equatable, Sendable {
  /// The instruction sets that the processor has and the operating system lets programs use.
  let features: Set<String>

  /// A processor with these instruction sets, as Linux spells them.
  package init(features: Set<String>) { self.features = features }

  /// The processor that this program runs on; without features where nothing says them.
  static var current: Processor {
    // The file is short and made on reading: its size is not known before.
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    return Processor(information: text)
  }

  /// Reads the features of the first processor.
  ///
  /// - Parameter information: The text of `/proc/cpuinfo`.
  package init(information: String) {
    let line = information.split(separator: "\n").first { $0.hasPrefix("flags") }
    let words = line?.split(separator: ":").last?.split(separator: " ") ?? []
    features = Set(words.map(String.init))
  }

  private static let wide: Set<String> = [
    "avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl",
  ]
  private static let wideWithHalves = wide.union(["avx512_vnni", "avx512_bf16"])
  private static let multiplyingAdds: Set<String> = ["avx2", "fma"]

  /// What kernels cannot run without, by their names in small letters.
  private static let requirements: [String: Set<String>] = [
    "haswell": multiplyingAdds, "zen": multiplyingAdds, "excavator": multiplyingAdds,
    "skylakex": wide, "cooperlake": wideWithHalves, "sapphirerapids": wideWithHalves,
  ]

  /// Kernels of OpenBLAS for processors without AVX2, and those for AVX2 alone.
  private static let narrow: Set<String> = [
    "Prescott", "Core2", "Penryn", "Dunnington", "Nehalem", "Atom", "Nano", "Opteron",
    "Opteron_SSE3",
    "Barcelona", "Bobcat", "Sandybridge", "Bulldozer", "Piledriver", "Steamroller",
  ]
  private static let medium: Set<String> = ["Excavator", "Haswell", "Zen"]

  /// What the processor lacks to run kernels of OpenBLAS, as far as that is known.
  ///
  /// - Parameter kernels: The name of the set of kernels, in any case.
  /// - Returns: The instruction sets, sorted.
  package func missing(for kernels: String) -> [String] {
    (Self.requirements[kernels.lowercased()] ?? []).subtracting(features).sorted()
  }

  /// Whether there are kernels of OpenBLAS known to be faster than these on some processor.
  static func mayBeBettered(_ kernels: String) -> Bool {
    narrow.contains(kernels) || medium.contains(kernels)
  }

  /// The kernels of OpenBLAS that are certain to be faster here than those it chose, best first.
  ///
  /// - Parameter chosen: The name of the set of kernels that the library chose.
  /// - Returns: Their names; none if there is nothing to gain, or nothing is known of the chosen ones.
  package func betterKernels(than chosen: String) -> [String] {
    guard Self.mayBeBettered(chosen) else { return [] }
    var names: [String] = []
    if features.isSuperset(of: Self.wide) {
      let hasHalves = features.isSuperset(of: Self.wideWithHalves)
      names = hasHalves ? ["Cooperlake", "SkylakeX"] : ["SkylakeX"]
    }
    if Self.narrow.contains(chosen), features.isSuperset(of: Self.multiplyingAdds) {
      names.append("Haswell")
    }
    return names
  }
}
