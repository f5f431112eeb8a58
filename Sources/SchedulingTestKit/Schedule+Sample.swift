package import Recurrence
package import Scheduling

extension Schedule {
  /// A live schedule of no special kind, due at its slot; `due` in milliseconds.
  package static func sample(
    _ id: String = "sample", generation: Int64 = 1, due: Int64 = 0, payload: [UInt8]? = nil
  ) -> Schedule {
    let instant = Instant(milliseconds: due)
    return Schedule(
      definition: Definition(id: ScheduleID(stored: Array(id.utf8)), timing: .at(instant), payload: payload),
      origin: Origin(), generation: generation, state: .live(Pending(slot: instant, due: instant)))
  }

  /// A schedule that has ended, by default with nothing owed; `at` in milliseconds.
  package static func sampleEnded(
    _ id: String = "sample", generation: Int64 = 1, at: Int64 = 0, reason: String? = "stopped",
    owesStopped: Bool = false, payload: [UInt8]? = nil
  ) -> Schedule {
    var schedule = sample(id, generation: generation, payload: payload)
    schedule.state = .ended(Ending(reason: reason, at: Instant(milliseconds: at), owesStopped: owesStopped))
    return schedule
  }
}

extension Retention {
  /// Keeps everything but what the test gives; instants in milliseconds.
  package static func keeping(
    endedBefore: Int64 = .min, firedBefore: Int64 = .min, answeredBefore: Int64 = .min, maximumEnded: Int = .max,
    maximumCommands: Int = .max
  ) -> Retention {
    Retention(
      endedBefore: Instant(milliseconds: endedBefore), firedBefore: Instant(milliseconds: firedBefore),
      answeredBefore: Instant(milliseconds: answeredBefore), maximumEnded: maximumEnded,
      maximumCommands: maximumCommands)
  }
}

extension ScheduleStore {
  /// All that is due up to an instant, page by page.
  package func allDue(through: Instant, pageSize: Int) throws -> [Schedule] {
    var schedules: [Schedule] = []
    var position: DuePosition?
    while true {
      let page = try due(after: position, through: through, limit: pageSize)
      schedules += page.schedules
      guard !page.isLast, let last = page.schedules.last, let pending = last.pending else { return schedules }
      position = DuePosition(due: pending.due, generation: last.generation)
    }
  }

  /// All that follow a time zone, page by page.
  func allFollowingZones(pageSize: Int) throws -> [Schedule] {
    var schedules: [Schedule] = []
    while true {
      let position = schedules.last.flatMap { last in
        last.pending.map { DuePosition(due: $0.due, generation: last.generation) }
      }
      let page = try followingZones(after: position, limit: pageSize)
      guard !page.isEmpty else { return schedules }
      schedules += page
    }
  }

  /// All schedules by id, page by page.
  package func allByID(pageSize: Int) throws -> [Schedule] {
    var schedules: [Schedule] = []
    while true {
      let page = try page(after: schedules.last?.id, limit: pageSize)
      guard !page.isEmpty else { return schedules }
      schedules += page
    }
  }

  func schedule(_ id: String) throws -> Schedule? {
    try schedules([ScheduleID(stored: Array(id.utf8))])[0]
  }
}
