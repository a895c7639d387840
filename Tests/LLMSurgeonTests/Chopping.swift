import DemonstrationModel
import Foundation
import LLMSurgeon

/// A short removal of blocks with training of the embedded model, which has six.
struct Chopping {
  static let text = TokenInput.text([DemonstrationModel.calibrationText])

  var options: ChopOptions

  init(_ amount: ChopAmount, steps: Int = 4, to output: URL) {
    var data = TrainingData(input: Self.text, length: 32, batch: 1)
    data.heldOut = Self.text
    data.heldOutWindows = 2
    data.interval = 1
    options = ChopOptions(
      model: DemonstrationModel.directory.path,
      data: data,
      removal: ChopRemoval(amount),
      training: .pretraining(steps: steps, learningRate: 1e-3),
      output: output
    )
  }
}
