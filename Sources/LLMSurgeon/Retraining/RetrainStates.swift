import ExactJSON
import Foundation
import Report
import Safetensors
import Tensors
import Training

/// The states that an unfinished training leaves, of which the last one counts.
struct RetrainStates {
  /// What a training needs to go on.
  struct State {
    /// The steps that are done.
    var step: Int
    /// The values and the optimizer's moments.
    var parameters: [Parameter]
    /// The losses so far.
    var course: TrainingCourse
    /// The time of the steps so far; the result does not depend on it.
    var seconds = 0.0
  }

  private let files: NumberedFiles

  /// The states in the unfinished folder of a run.
  init(folder: URL) { files = NumberedFiles(folder: folder, prefix: "state-") }

  /// What is kept of a parameter.
  private static var kept: [(label: String, path: WritableKeyPath<Parameter, [Float]>)] {
    [("value", \.values), ("mean", \.mean), ("square", \.square)]
  }

  /// Writes a state, and removes those before it.
  func save(_ state: State) throws {
    let tensors = state.parameters.flatMap { parameter in
      Self.kept.map { label, path in
        let values = parameter[keyPath: path]
        return SafetensorsWriter.Tensor(
          TensorName("\(label).\(parameter.name)"),
          TensorDescription(elementType: .float32, shape: [values.count]),
          floats: { values }
        )
      }
    }
    let course = String(decoding: JSONWriter.write(state.course.json), as: UTF8.self)
    try files.replace(with: state.step) {
      let metadata = ["course": course, "seconds": "\(state.seconds)"]
      try SafetensorsWriter.write(tensors, metadata: metadata, to: $0)
    }
  }

  /// Reads the last state.
  ///
  /// - Parameter parameters: What is trained in a step of this number, for names and sizes.
  /// - Returns: The state; nil if there is none.
  /// - Throws: ``JobError/unreadable(path:reason:)`` if it is damaged, or what `parameters` throws.
  func last(like parameters: (Int) throws -> [Parameter]) throws -> State? {
    guard let step = files.last else { return nil }
    let saved = try SafetensorsFile(path: files.file(step).path)
    guard let text = saved.metadata["course"],
      let course = TrainingCourse(json: try JSONParser.parse(Array(text.utf8))),
      course.steps.count == step
    else { throw files.damaged(step) }
    let seconds = saved.metadata["seconds"].flatMap { Double($0) } ?? 0
    let parameters = try parameters(step)
    var state = State(step: step, parameters: parameters, course: course, seconds: seconds)
    for index in parameters.indices {
      for (label, path) in Self.kept {
        let values = try saved.floats(TensorName("\(label).\(parameters[index].name)"))
        guard values.count == parameters[index].values.count else { throw files.damaged(step) }
        state.parameters[index][keyPath: path] = values
      }
    }
    return state
  }
}
