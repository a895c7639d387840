import LinearAlgebra
import Tensors
import Testing

@testable import Transformer

/// Changes to a checkpoint, and what comes out.
private struct Bench {
  let fixture: Fixture
  let model: DecoderModel
  var source: MemorySource

  init(_ name: String) throws {
    fixture = try Fixture(name)
    model = try fixture.model()
    source = fixture.weights
  }

  /// Sets rows of a layer, the bias included, to something else.
  mutating func setRows(_ rows: [Int], of linear: Int, to value: (Int) -> Double) {
    let layer = model.linears[linear]
    for row in rows {
      for column in 0..<layer.inputs {
        source.values[layer.weight]?[row * layer.inputs + column] = value(row + column)
      }
      if let bias = layer.bias { source.values[bias]?[row] = value(row) }
    }
  }

  mutating func clearColumns(_ columns: [Int], of linear: Int) {
    let layer = model.linears[linear]
    for column in columns {
      for row in 0..<layer.outputs {
        source.values[layer.weight]?[row * layer.inputs + column] = 0
      }
    }
  }

  func logits() throws -> Matrix<Double> {
    let configuration = try ModelConfiguration(config: fixture.config)
    return try DecoderModel(configuration: configuration, source: source)
      .logits(try fixture.tokens()).widened()
  }
}

@Suite("Couplings")
struct CouplingTests {
  static let names = ["opt", "llama", "llama3"]

  @Test("units number every row of the producer once", arguments: names)
  func partition(name: String) throws {
    let model = try Fixture(name).model()
    #expect(model.couplings.count == model.decoder.blocks * (model.decoder.isGated ? 4 : 3))
    for coupling in model.couplings {
      let producer = model.linears[coupling.producer]
      let consumer = model.linears[coupling.consumer]
      let rows = (0..<coupling.units).flatMap { coupling.producerRows(ofUnit: $0) }
      let partners = (0..<coupling.units).flatMap { coupling.consumerIndices(ofUnit: $0) }
      #expect(rows.sorted() == Array(0..<producer.outputs))
      let extent = coupling.meaning == .rowsFeedColumns ? consumer.inputs : consumer.outputs
      #expect(partners.sorted() == Array(0..<extent))
      #expect(producer.block == consumer.block)
      for unit in 0..<coupling.units {
        #expect(coupling.producerRows(ofUnit: unit).isSorted)
        #expect(coupling.consumerIndices(ofUnit: unit).isSorted)
      }
    }
  }

  @Test("what a unit is coupled to is dead once the unit is cut", arguments: names)
  func dead(name: String) throws {
    for (number, coupling) in try Fixture(name).model().couplings.enumerated() {
      let unit = (5 * number + 3) % coupling.units
      let rows = coupling.producerRows(ofUnit: unit)
      let partners = coupling.consumerIndices(ofUnit: unit)
      var bench = try Bench(name)
      switch coupling.meaning {
      case .rowsFeedColumns: bench.clearColumns(partners, of: coupling.consumer)
      case .rowsMeetRows: bench.setRows(partners, of: coupling.consumer) { _ in 0 }
      }
      let cut = try bench.logits()
      bench.setRows(rows, of: coupling.producer) { Double($0 % 7) - 3 }
      // Zeros times other numbers: nothing may change but the order of roundings.
      #expect(relativeError(try bench.logits(), cut) <= 1e-6)

      // And the unit is no larger than it must be: a row of another unit still counts.
      let other = coupling.producerRows(ofUnit: (unit + 1) % coupling.units)
      bench.setRows(other, of: coupling.producer) { Double($0 % 5) - 2 }
      #expect(relativeError(try bench.logits(), cut) >= 1e-5)
    }
  }

  @Test("a row that is zero makes its partner dead", arguments: names)
  func deadPartners(name: String) throws {
    for (number, coupling) in try Fixture(name).model().couplings.enumerated() {
      let unit = (7 * number + 1) % coupling.units
      var bench = try Bench(name)
      bench.setRows(coupling.producerRows(ofUnit: unit), of: coupling.producer) { _ in 0 }
      let zeroed = try bench.logits()
      let partners = coupling.consumerIndices(ofUnit: unit)
      switch coupling.meaning {
      case .rowsFeedColumns: bench.clearColumns(partners, of: coupling.consumer)
      case .rowsMeetRows:
        bench.setRows(partners, of: coupling.consumer) { Double($0 % 7) - 3 }
      }
      #expect(relativeError(try bench.logits(), zeroed) <= 1e-6)
    }
  }
}

extension [Int] {
  fileprivate var isSorted: Bool { zip(self, dropFirst()).allSatisfy { $0 < $1 } }
}
