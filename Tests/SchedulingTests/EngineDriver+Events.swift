import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation

/// What can be seen of the engine.
extension EngineDriver {
  var events: [OutgoingEvent] { published.compactMap(\.event) }
  var ticks: [Tick] { events.ticks }
  /// The slots of the ticks, in minutes after noon.
  var minutes: [Int64] { ticks.map { ($0.slot.milliseconds - Instant.noon.milliseconds) / 60_000 } }
  var started: [Started] { events.compactMap { if case .started(let started) = $0 { started } else { nil } } }
  var stopped: [Stopped] { events.compactMap { if case .stopped(let stopped) = $0 { stopped } else { nil } } }
  var controlled: [Controlled] {
    events.compactMap { if case .controlled(let controlled) = $0 { controlled } else { nil } }
  }
  var rejections: [Rejection] { events.compactMap { if case .rejected(let rejected) = $0 { rejected } else { nil } } }

  var batchesDone: [BatchDone] {
    events.compactMap { if case .batchDone(let done) = $0 { done } else { nil } }
  }

  func stored(_ id: ScheduleID) throws -> Schedule? { try store.schedules([id])[0] }
}
