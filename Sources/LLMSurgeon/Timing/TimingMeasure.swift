import Pruning
import Transformer

/// The time of a prompt, as a timing table predicts it from the widths; seconds.
struct TimingMeasure: WidthMeasure {
  private let table: TimingTable
  let constant: Double

  var name: String { "seconds for a prompt of \(table.tokens) tokens" }

  /// The measure for a model.
  ///
  /// - Throws: ``JobError/badSetting(_:)`` if the table is not of such a model.
  init(_ table: TimingTable, of decoder: DecoderDescription) throws {
    try table.check(decoder)
    self.table = table
    constant = table.rest + Double(decoder.blocks) * table.norms
  }

  func value(of widths: BlockWidths, block: Int) -> Double {
    table.heads.seconds(at: widths.heads)
      + table.keyValueHeads.seconds(at: widths.keyValueHeads)
      + table.neurons.seconds(at: widths.neurons)
  }
}
