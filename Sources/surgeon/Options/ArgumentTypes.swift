public import ArgumentParser
public import Export
public import LLMSurgeon
public import Pruning
public import Training

extension Structure: ExpressibleByArgument {
  /// Reads `element`, `N:M`, `rows-columns`, `rows`, `columns`, `neurons`, `heads` or both.
  public init?(argument: String) {
    guard let structure = try? Structure(argument) else { return nil }
    self = structure
  }

  /// How help shows a default.
  public var defaultValueDescription: String { "\(self)" }

  /// The share that all blocks of N:M remove; nil for the other structures.
  var impliedShare: Double? {
    if case .nm = self { largestShare } else { nil }
  }
}

extension ParameterCount: ExpressibleByArgument {
  /// Reads `350M`, `1.2B` or a plain number.
  public init?(argument: String) { self.init(argument) }
}

extension ByteCount: ExpressibleByArgument {
  /// Reads `2.5GB`, `8KiB` or a plain number.
  public init?(argument: String) { self.init(argument) }
}

extension SpeedupFactor: ExpressibleByArgument {
  /// Reads `1.5x` or `1.5`.
  public init?(argument: String) { self.init(argument) }
}

extension CalibrationShard: ExpressibleByArgument {
  /// Reads `2/4`.
  public init?(argument: String) { self.init(argument) }
}

extension Method: ExpressibleByArgument {}
extension Profile: ExpressibleByArgument {}
extension Allocation: ExpressibleByArgument {}
extension HeadUnit: ExpressibleByArgument {}
extension ScratchPrecision: ExpressibleByArgument {}
extension ComputePrecision: ExpressibleByArgument {}
extension CalibrationLabels: ExpressibleByArgument {}
extension ExportPrecision: ExpressibleByArgument {}
extension ExportArchitecture: ExpressibleByArgument {}
extension ShotRamp: ExpressibleByArgument {}
extension ShotData: ExpressibleByArgument {}
extension RepairInputs: ExpressibleByArgument {}
extension TrainedGroup: ExpressibleByArgument {}
extension RateShape: ExpressibleByArgument {}
extension ReconstructionInput: ExpressibleByArgument {}
extension ReconstructionTarget: ExpressibleByArgument {}

extension ReconstructionWindow: ExpressibleByArgument {
  /// Reads `matrix`, `parts` or a number of blocks.
  public init?(argument: String) { self.init(argument) }

  /// How help shows a default.
  public var defaultValueDescription: String { description }
}

/// Names of options, for messages about some that do not go together.
enum OptionName {
  /// The first of some options that is given; nil if none is.
  ///
  /// - Parameter options: Their names, and whether they are given.
  /// - Returns: The name, such as `--shots`.
  static func first(given options: [(name: String, isGiven: Bool)]) -> String? {
    options.first(where: \.isGiven)?.name
  }
}
