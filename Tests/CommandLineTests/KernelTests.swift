import ExactJSON
import Testing

#if arch(x86_64)
  @Suite("BLAS kernels")
  struct KernelTests {
    private static let inspect = ["inspect", Embedded.model, "--json", "--quiet"]

    private func kernels(_ arguments: [String]) throws -> String? {
      let output = try Surgeon.succeed(Self.inspect + arguments)
      return try JSONParser.parse(Array(output.standardOutput.utf8))["blas"]?["kernels"]?.string
    }

    @Test(
      "the named ones compute, whatever the case of the letters",
      arguments: ["Nehalem", "nehalem"]
    )
    func named(name: String) throws {
      #expect(try kernels(["--blas-core", name]) == "Nehalem")
    }

    @Test("the library's own choice and ours are kernels that run")
    func automatic() throws {
      #expect(try kernels(["--blas-core", "default"]) != nil)
      #expect(try kernels([]) != nil)
    }

    @Test("an unknown name ends in one message with the names that the library takes")
    func unknown() throws {
      try expectFailure(
        ["inspect", Embedded.model, "--blas-core", "nonsense"],
        saying: "no kernels 'nonsense'",
        "Nehalem",
        "Haswell",
        "'default'"
      )
    }

    @Test("a name that is none is a usage error")
    func malformed() throws {
      try expectUsageError(["inspect", "m", "--blas-core", ""], saying: "--blas-core")
      try expectUsageError(["inspect", "m", "--blas-core", "a b"], saying: "--blas-core")
    }
  }
#endif
