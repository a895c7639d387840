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
  }

  /// The unfinished folder of the run.
  let folder: URL

  private static let prefix = "state-"
  private static let suffix = ".safetensors"
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
    let older = steps()
    try SafetensorsWriter.write(
      tensors,
      metadata: ["course": course],
      to: file(state.step).path
    )
    for step in older where step != state.step {
      try? FileManager.default.removeItem(at: file(step))
    }
  }

  /// Reads the last state.
  ///
  /// - Parameter parameters: What is trained, for names and sizes.
  /// - Returns: The state; nil if there is none.
  /// - Throws: ``JobError/unreadable(path:reason:)`` if it is damaged.
  func last(like parameters: [Parameter]) throws -> State? {
    guard let step = steps().last else { return nil }
    let saved = try SafetensorsFile(path: file(step).path)
    guard let text = saved.metadata["course"],
      let course = TrainingCourse(json: try JSONParser.parse(Array(text.utf8))),
      course.steps.count == step
    else { throw damaged(step) }
    var state = State(step: step, parameters: parameters, course: course)
    for index in parameters.indices {
      for (label, path) in Self.kept {
        let values = try saved.floats(TensorName("\(label).\(parameters[index].name)"))
        guard values.count == parameters[index].values.count else { throw damaged(step) }
        state.parameters[index][keyPath: path] = values
      }
    }
    return state
  }

  private func damaged(_ step: Int) -> JobError {
    JobError.unreadable(path: file(step).relativePath, reason: "the saved state is damaged")
  }

  private func file(_ step: Int) -> URL {
    folder.appending(path: "\(Self.prefix)\(step)\(Self.suffix)")
  }

  /// The steps after which there are states, rising.
  private func steps() -> [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.compactMap { name in
      guard name.hasPrefix(Self.prefix), name.hasSuffix(Self.suffix) else { return nil }
      return Int(name.dropFirst(Self.prefix.count).dropLast(Self.suffix.count))
    }.sorted()
  }
}
