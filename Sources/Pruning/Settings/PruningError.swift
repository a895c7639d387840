package import Curvature

/// Why a model cannot be pruned as asked.
package enum PruningError: Error, Equatable {
  /// No structure has this name.
  case unknownStructure(String)
  /// A structure without a natural target was given none.
  case targetMissing(Structure)
  /// The share to remove is not one that the structure allows.
  case targetOutOfRange(Double, Structure)
  /// A damping is negative or not finite.
  case dampingOutOfRange(activations: Double, gradients: Double)
  /// The method does not remove by this structure.
  case methodDoesNotFit(Method, Structure)
  /// The method completes all blocks of a pattern, and the target is below that.
  case patternNotWhole(Method, Structure)
  /// The method cannot share its target in this way.
  case allocationDoesNotFit(Allocation, Method)
  /// A number of steps or iterations is below one, or one of exchanges below zero.
  case countOutOfRange(Int)
  /// A tolerance is not at least 0 and below 1.
  case toleranceOutOfRange(Double)
  /// Weights, factors or mask of a layer do not have the layer's shape.
  case shapeMismatch(layer: String, what: String, expected: [Int], found: [Int])
  /// A weight is NaN or infinite.
  case weightsNotFinite(layer: String)
  /// The method needs the curvature and there is none.
  case curvatureMissing(layer: String, Method)
  /// The curvature cannot be used.
  case curvature(layer: String, CurvatureError)
  /// The number of inputs is no multiple of the block size.
  case blocksDoNotFit(layer: String, inputs: Int, block: Int)
  /// A repair produced NaN or infinity.
  case repairNotFinite(layer: String)
  /// The cost of a removal is NaN or infinite.
  case costNotFinite(layer: String)
  /// A structure of units needs to be told what they are, or another structure was given some.
  case unitsMissing(Structure)
  /// The units of a model are not units of this layer.
  case unitsDoNotFit(layer: String)
  /// A constraint on widths is out of its range.
  case constraintOutOfRange(String)
  /// Constraints on widths were given for a structure that has none.
  case constraintsNeedUnits(Structure)
  /// Blocks that lose nothing and the same widths everywhere.
  case constraintsContradict
  /// The method is one for neurons and heads.
  case methodNeedsUnits(Method)
  /// The means of a layer's inputs are not known.
  case meansUnknown(layer: String)
  /// No choice that the constraints allow meets the goal.
  case goalOutOfReach(name: String, most: Double, nearest: Double)
  /// What another rank has computed of a layer is not where all ranks keep it.
  case shareMissing(layer: String)
  /// Ranks find different work of the run that they go on with.
  case ranksDiffer
  /// A consequence names a row or column that no layer has.
  case noSuchStructure(layer: Int, index: Int)
}

extension PruningError: CustomStringConvertible {
  package var description: String { settingProblem ?? unitProblem ?? layerProblem }

  private var settingProblem: String? {
    switch self {
    case .unknownStructure(let text):
      """
      no structure is called “\(text)”; choose element, rows-columns, rows, columns, \
      neurons, heads, neurons,heads, or N:M with 1 ≤ N < M ≤ \(Structure.largestBlock), such as 2:4
      """
    case .targetMissing(let structure):
      "structure \(structure) needs a target: the share of the weights to remove"
    case .targetOutOfRange(let target, let structure):
      """
      cannot remove a share of \(target) of the weights with structure \(structure); \
      the target is above 0, below 1 and at most \(structure.largestShare)
      """
    case .dampingOutOfRange(let activations, let gradients):
      "the damping (\(activations), \(gradients)) must be finite and not negative"
    case .methodDoesNotFit(let method, let structure):
      """
      method \(method.rawValue) does not remove by structure \(structure); \
      choose element or N:M, or another method
      """
    case .patternNotWhole(let method, let structure):
      "method \(method.rawValue) completes every block of \(structure); leave out the target"
    case .allocationDoesNotFit(let allocation, let method):
      Self.misfit(allocation, method)
    case .countOutOfRange(let count):
      "\(count) is no number of steps, iterations or exchanges; give at least 1"
    case .toleranceOutOfRange(let tolerance):
      "the tolerance \(tolerance) must be at least 0 and below 1"
    case .ranksDiffer:
      """
      the ranks see different states of the work; put the output on a disk that all of them share, \
      and give the same command again
      """
    case .noSuchStructure(let layer, let index):
      "layer \(layer) has no row or column \(index) for a consequence to name"
    default: nil
    }
  }

  private var unitProblem: String? {
    switch self {
    case .unitsMissing(let structure):
      "structure \(structure) and a description of units do not go together"
    case .unitsDoNotFit(let layer):
      "\(layer): its rows or columns are not a whole number of the units described"
    case .constraintOutOfRange(let rule): rule
    case .constraintsNeedUnits(let structure):
      "structure \(structure) knows no widths; constraints on them need neurons or heads"
    case .constraintsContradict:
      """
      blocks that lose nothing cannot be as wide as the others; \
      use the global allocation, or keep no blocks
      """
    case .methodNeedsUnits(let method):
      "method \(method.rawValue) is for neurons and heads; choose one of these structures"
    case .meansUnknown(let layer):
      """
      \(layer): the layer has no bias, so the statistics do not hold the mean of its inputs, \
      which method activation needs; use lobd or surgeon
      """
    case .goalOutOfReach(let name, let most, let nearest):
      """
      the goal of at most \(figure(most)) \(name) cannot be met under the constraints; \
      the nearest that can is \(figure(nearest))
      """
    default: nil
    }
  }

  private static func misfit(_ allocation: Allocation, _ method: Method) -> String {
    switch allocation {
    case .global:
      """
      allocation global compares all layers, and the scores of \(method.rawValue) mean something \
      within one layer only; choose uniform or owl
      """
    case .uniform, .owl:
      method.isLayerLocal
        ? "an N:M pattern removes the same share everywhere; leave out --allocation"
        : "allocation owl is for wanda, sparsegpt and alps; choose global or uniform"
    }
  }

  private var layerProblem: String {
    switch self {
    case .shapeMismatch(let layer, let what, let expected, let found):
      """
      \(layer): the \(what) should have shape \(expected) but has \(found); \
      use statistics that were measured on this model
      """
    case .weightsNotFinite(let layer):
      "\(layer): the weights contain NaN or infinity; the checkpoint is damaged"
    case .curvatureMissing(let layer, let method):
      "\(layer): method \(method.rawValue) needs the curvature; calibrate first or use magnitude"
    case .curvature(let layer, let error):
      "\(layer): \(error)"
    case .blocksDoNotFit(let layer, let inputs, let block):
      "\(layer): \(inputs) inputs cannot be cut into blocks of \(block); choose another N:M"
    case .costNotFinite(let layer):
      "\(layer): a removal's cost is NaN or infinite; look for huge weights or factors"
    case .shareMissing(let layer):
      """
      \(layer): what another rank computed of it cannot be read; put the output on a disk that all \
      ranks share, and give the same command again
      """
    case .repairNotFinite(let layer):
      "\(layer): the repair produced NaN or infinity; raise the damping"
    default:
      "the settings cannot be used"
    }
  }
}

/// A number without a fraction where it has none.
private func figure(_ value: Double) -> String {
  Int(exactly: value).map { "\($0)" } ?? "\(value)"
}
