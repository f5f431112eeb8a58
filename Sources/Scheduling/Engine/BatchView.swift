/// The state that the commands of a batch are decided on: read from the store, with the changes of earlier commands in
/// the batch applied.
struct BatchView {
  private(set) var schedules: [ScheduleID: Schedule] = [:]
  var answers: [CommandKey: RememberedCommand] = [:]
  /// The schedules that commands of this batch have changed, which is not stored yet.
  private(set) var changed: Set<ScheduleID> = []

  init(schedules found: [Schedule?], remembered: [RememberedCommand?]) {
    for case let schedule? in found { schedules[schedule.id] = schedule }
    for case let command? in remembered { answers[command.key] = command }
  }

  mutating func apply(_ changes: [Change], to id: ScheduleID) {
    if !changes.isEmpty { changed.insert(id) }
    for change in changes {
      switch change {
      case .start(let schedule, _): schedules[id] = schedule
      case .revise(let schedule, _, _, _): schedules[id] = schedule
      case .advance(_, _, let progress, _, _): schedules[id]?.progress = progress
      case .declare(_, let declaration): schedules[id]?.declare(declaration)
      case .announced, .remember, .markInDoubt, .followRules, .inbox, .batch: break
      }
    }
  }
}
