import Checkpoint
import Export
import Report
import Tensors
import Transformer

extension ChopRun {
  /// The model as it is written: what was trained is rounded to the type of the checkpoint.
  func writtenModel() throws -> DecoderModel {
    var tensors = MemoryTensors()
    try trainer.trained.write(to: &tensors)
    let base = trainer.trained.base
    let source = OverlayTensors(base: base.source, front: tensors, isRounded: false)
    return base.with(source)
  }

  func write(progress: any ProgressListener) throws -> ChopReport {
    let opened = setup.opened
    let fewer = try FewerBlocks(opened.directory, opened.model, keeping: kept)
    let model = try writtenModel()
    let source = HuggingFaceExport.Source(
      fewer.directory,
      fewer.configuration,
      model: model,
      fingerprint: setup.fingerprint
    )
    var changes = CheckpointChanges()
    changes.configuration = .legacyRotary(opened.directory.configuration)
    let sites = trainer.trained.sites
    changes.replacement = { sites[$0] == nil ? nil : try model.source.floats($0) }
    var export = try HuggingFaceExport(source, as: options.profile ?? .masked, changes: changes)
    let sizes = try DepthReport.Sizes(opened, written: fewer, export.changes).record
    let report = try ChopReport(report(sizes), seconds: seconds)
    export.addFile(ChopReport.fileName, report.file)
    try export.write(fewer.directory, to: options.output, overwrite: options.overwrite)
    for note in export.notes { progress.note(note) }
    return report
  }

  private func report(_ sizes: ChoppingReport.Sizes) -> ChoppingReport {
    var training = RetrainingReport(
      setup,
      options.training,
      options.data,
      trainedValues: trainer.trained.trainedCount
    )
    training.parameters = sizes.parameters.before
    (training.settings.rank, training.settings.alpha) = (nil, nil)
    training.course = trainer.course
    training.writtenLoss = writtenLoss
    return ChoppingReport(
      removal: ChoppingReport.Removal(
        scheme: options.removal.name,
        removed: plan.removed,
        kept: kept,
        stepsBefore: plan.stepsBefore,
        interval: plan.interval
      ),
      sizes: sizes,
      distillation: options.distillation.isUsed ? options.distillation.record : nil,
      training: training
    )
  }
}
