// swift-tools-version: 6.3
import PackageDescription

/// One list of settings for every Swift target: no target opts out.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableExperimentalFeature("Lifetimes"),  // Properties that return a Span.
]

let arguments = Target.Dependency.product(
  name: "ArgumentParser",
  package: "swift-argument-parser"
)
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let real = Target.Dependency.product(name: "RealModule", package: "swift-numerics")

func module(
  _ name: String,
  uses dependencies: [Target.Dependency] = [],
  path: String? = nil,
  excluding excluded: [String] = [],
  resources: [Resource]? = nil
) -> Target {
  .target(
    name: name,
    dependencies: dependencies,
    path: path,
    exclude: excluded,
    resources: resources,
    swiftSettings: strict
  )
}

func tests(_ name: String, of dependencies: [Target.Dependency], golden: Bool = false) -> Target {
  .testTarget(
    name: name,
    dependencies: dependencies + ["TestKit"],
    resources: golden ? [.copy("Golden")] : nil,
    swiftSettings: strict
  )
}

// Listed bottom layer first: a target imports only targets above it.
let package = Package(
  name: "llm-surgeon",
  products: [
    .library(name: "LLMSurgeon", targets: ["LLMSurgeon"]),
    .executable(name: "surgeon", targets: ["surgeon"]),
  ],
  traits: [
    .trait(name: "MPI", description: "Shares work among the processes of mpirun; needs Open MPI."),
    .trait(name: "OneDNN", description: "Computes products of bfloat16 numbers; needs oneDNN."),
    .default(enabledTraits: []),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-numerics", from: "1.1.0"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
  ],
  targets: [
    .systemLibrary(
      name: "COpenBLAS",
      pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev", "liblapacke-dev"])]
    ),
    .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
    .systemLibrary(name: "CMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),

    module("LinearAlgebra", uses: ["COpenBLAS", real]),
    module("ExactJSON"),
    module("Report", uses: ["ExactJSON", mustache]),
    module("Tensors", uses: ["CXXHash"]),
    module("MessagePassing", uses: [.target(name: "CMPI", condition: .when(traits: ["MPI"]))]),

    module("Curvature", uses: ["LinearAlgebra"]),
    module(
      "MixedPrecision",
      uses: [
        "LinearAlgebra", "Tensors", .target(name: "COneDNN", condition: .when(traits: ["OneDNN"])),
      ]
    ),
    module("Safetensors", uses: ["ExactJSON", "Tensors"]),
    module("TorchArchive", uses: ["Tensors"]),
    module("Tokenization", uses: ["ExactJSON"]),
    module("GGUF", uses: ["Tensors"]),

    module("Transformer", uses: ["ExactJSON", "LinearAlgebra", "MixedPrecision", "Tensors", real]),
    module("Depth", uses: ["LinearAlgebra", real]),
    module("Pruning", uses: ["Curvature", "LinearAlgebra", "MessagePassing", "Tensors", real]),
    module("Checkpoint", uses: ["ExactJSON", "Safetensors", "Tensors", "TorchArchive"]),
    module("Training", uses: ["LinearAlgebra", "Pruning", real]),

    module(
      "Export",
      uses: [
        "Checkpoint", "ExactJSON", "GGUF", "Safetensors", "Tensors", "Tokenization", "Transformer",
      ]
    ),
    module(
      "DemonstrationModel",
      path: "calibration",
      excluding: ["README.md"],
      resources: [.copy("demo")]
    ),

    module(
      "LLMSurgeon",
      uses: [
        "Checkpoint", "Curvature", "DemonstrationModel", "Depth", "ExactJSON", "Export",
        "LinearAlgebra", "MessagePassing", "MixedPrecision", "Pruning", "Report", "Safetensors",
        "Tensors", "Tokenization", "Training", "Transformer",
      ]
    ),
    .executableTarget(
      name: "surgeon",
      dependencies: [
        "Depth", "Export", "LLMSurgeon", "MessagePassing", "Pruning", "Training", arguments,
      ],
      swiftSettings: strict
    ),
    .executableTarget(
      name: "Benchmarks",
      dependencies: [
        "Curvature", "DemonstrationModel", "ExactJSON", "LLMSurgeon", "LinearAlgebra", "Pruning",
        "Report", "Safetensors", "Tensors", "Tokenization", "Transformer", arguments,
      ],
      path: "Benchmarks",
      swiftSettings: strict
    ),

    module(
      "TestKit",
      uses: ["LinearAlgebra", "Safetensors", "Tensors"],
      path: "Tests/TestKit"
    ),
    tests("LinearAlgebraTests", of: ["LinearAlgebra"]),
    tests("MixedPrecisionTests", of: ["LinearAlgebra", "MixedPrecision"]),
    tests("CurvatureTests", of: ["Curvature", "LinearAlgebra"]),
    tests("ExactJSONTests", of: ["ExactJSON"]),
    tests("ReportTests", of: ["ExactJSON", "Report"]),
    tests(
      "TransformerTests",
      of: ["ExactJSON", "LinearAlgebra", "MixedPrecision", "Tensors", "Transformer"],
      golden: true
    ),
    tests("TokenizationTests", of: ["ExactJSON", "Tokenization"], golden: true),
    tests("DepthTests", of: ["Depth", "LinearAlgebra"]),
    tests(
      "PruningTests",
      of: ["Curvature", "LinearAlgebra", "MessagePassing", "Pruning", "Tensors"]
    ),
    tests(
      "TrainingTests",
      of: ["ExactJSON", "LinearAlgebra", "Pruning", "Training"],
      golden: true
    ),
    tests("TensorsTests", of: ["Tensors"]),
    tests("SafetensorsTests", of: ["Safetensors", "Tensors"], golden: true),
    tests("GGUFTests", of: ["GGUF", "Tensors"], golden: true),
    tests("TorchArchiveTests", of: ["Safetensors", "Tensors", "TorchArchive"], golden: true),
    tests(
      "CheckpointTests",
      of: ["Checkpoint", "ExactJSON", "Safetensors", "Tensors"],
      golden: true
    ),
    tests(
      "ExportTests",
      of: [
        "Checkpoint", "ExactJSON", "Export", "GGUF", "LinearAlgebra", "Safetensors", "Tensors",
        "Tokenization", "Transformer",
      ],
      golden: true
    ),
    tests(
      "LLMSurgeonTests",
      of: [
        "Checkpoint", "DemonstrationModel", "Depth", "Export", "ExactJSON", "LLMSurgeon",
        "LinearAlgebra", "MessagePassing", "MixedPrecision", "Pruning", "Report", "Safetensors",
        "Tensors", "Tokenization", "Training", "Transformer",
      ],
      golden: true
    ),
    tests(
      "CommandLineTests",
      of: ["DemonstrationModel", "ExactJSON", "Safetensors", "Tensors", "surgeon"]
    ),
  ]
)
