import Export
import Tensors
import Training
import Transformer

extension TrainedModel {
  /// The model without some of its blocks; the values of the others, and what the optimizer remembers
  /// of them, stay as they are.
  ///
  /// - Parameters:
  ///   - kept: The blocks that are kept, in the numbers of the whole model and in ascending order.
  ///   - former: The blocks that there are, likewise.
  ///   - opened: The whole model.
  /// - Returns: The model, its tensors named as those of an ordinary model of fewer blocks.
  /// - Throws: `ModelError` if what is left is no model.
  func keeping(_ kept: [Int], of former: [Int], in opened: OpenedModel) throws -> TrainedModel {
    let places = former.indices.filter { kept.contains(former[$0]) }
    let names = base.names(keepingBlocks: places)
    let fewer = try FewerBlocks(opened.directory, opened.model, keeping: kept)
    var newNames: [Int: String] = [:]
    for (name, site) in sites {
      guard let new = names[name] else { continue }
      for index in site.parameters {
        newNames[index] = parameters[index].name.replacingPrefix("\(name)", by: "\(new)")
      }
    }
    // Parameters keep their order, on which sums over all of them depend.
    let indices = newNames.keys.sorted()
    let newIndices = Dictionary(uniqueKeysWithValues: indices.enumerated().map { ($1, $0) })
    let newSites = sites.compactMap { name, site in
      names[name].map { ($0, site.renumbered(by: newIndices)) }
    }
    return TrainedModel(
      base: fewer.model,
      sites: Dictionary(uniqueKeysWithValues: newSites),
      parameters: indices.map { parameters[$0].renamed(newNames[$0] ?? parameters[$0].name) }
    )
  }
}

extension TrainedModel.Site {
  /// The parameters that the tensor is made from.
  fileprivate var parameters: [Int] {
    switch self {
    case .values(let index), .masked(let index, _), .bias(let index, _): [index]
    case .adapted(_, let a, let b): [a, b]
    }
  }

  /// The same with parameters in other places.
  fileprivate func renumbered(by places: [Int: Int]) -> TrainedModel.Site {
    func place(_ index: Int) -> Int { places[index, default: index] }
    return switch self {
    case .values(let index): .values(place(index))
    case .masked(let index, let mask): .masked(place(index), mask)
    case .bias(let index, let mask): .bias(place(index), keeping: mask)
    case .adapted(let adapter, let a, let b): .adapted(adapter, a: place(a), b: place(b))
    }
  }
}

extension String {
  /// The text with another beginning, if it begins so.
  fileprivate func replacingPrefix(_ prefix: String, by other: String) -> String {
    hasPrefix(prefix) ? other + dropFirst(prefix.count) : self
  }
}
