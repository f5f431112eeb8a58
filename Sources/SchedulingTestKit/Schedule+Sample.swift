package import Recurrence
package import Scheduling

extension Schedule {
  /// A schedule whose first slot is its current one.
  package init(definition: Definition, origin: Origin, generation: Int64, counter: Int64 = 0, state: State) {
    let slot = state.nextTick?.slot ?? state.ending?.at ?? Instant(milliseconds: 0)
    self.init(
      definition: definition, origin: origin, key: Key(generation: generation, beginningAt: slot),
      progress: Progress(state: state, counter: counter))
  }

  /// A live schedule of no special kind, due at its slot; `due` in milliseconds.
  package static func sample(
    _ id: String = "sample", generation: Int64 = 1, due: Int64 = 0, payload: [UInt8]? = nil
  ) -> Schedule {
    let instant = Instant(milliseconds: due)
    return Schedule(
      definition: Definition(id: ScheduleID(stored: Array(id.utf8)), timing: .at(instant), payload: payload),
      origin: Origin(), generation: generation, state: .live(NextTick(slot: instant, due: instant)))
  }

  /// A schedule that has ended, by default with nothing owed; `at` in milliseconds.
  package static func sampleEnded(
    _ id: String = "sample", generation: Int64 = 1, at: Int64 = 0, reason: String? = "stopped",
    owesStopped: Bool = false, kind: Ending.Kind? = nil, payload: [UInt8]? = nil
  ) -> Schedule {
    var schedule = sample(id, generation: generation, payload: payload)
    schedule.progress.state = .ended(
      Ending(reason: reason, at: Instant(milliseconds: at), owesStopped: owesStopped, kind: kind))
    return schedule
  }
}

extension Change {
  /// For a schedule that began in the first hour of 1970, like the samples.
  package static func advance(
    generation: Int64, from slot: Instant, to state: Schedule.State, counter: Int64
  ) -> Change {
    .advance(
      Schedule.Key(generation: generation, cohort: 0), from: slot,
      to: Schedule.Progress(state: state, counter: counter))
  }
}

extension Retention {
  /// Keeps everything except as given; instants in milliseconds.
  package static func keeping(
    endedBefore: Int64 = .min, firedBefore: Int64 = .min, lastingBefore: Int64 = .min, answeredBefore: Int64 = .min,
    maximumEnded: Int = .max, maximumCommands: Int = .max
  ) -> Retention {
    Retention(
      endedBefore: Instant(milliseconds: endedBefore), firedBefore: Instant(milliseconds: firedBefore),
      lastingBefore: Instant(milliseconds: lastingBefore),
      answeredBefore: Instant(milliseconds: answeredBefore), maximumEnded: maximumEnded,
      maximumCommands: maximumCommands)
  }
}

extension ScheduleStore {
  /// All schedules due by an instant, page by page.
  package func allDue(through: Instant, pageSize: Int) throws -> [Schedule] {
    try allPages { last in try due(after: last?.position, through: .end(of: .bus, due: through), limit: pageSize) }
  }

  /// All schedules that follow a time zone, page by page.
  func allFollowingZones(pageSize: Int) throws -> [Schedule] {
    try allPages { last in
      let schedules = try followingZones(after: last?.position, limit: pageSize)
      return DuePage(schedules: schedules, isLast: schedules.isEmpty)
    }
  }

}

extension ScheduleQueries {
  /// All schedules by id, page by page.
  package func allByID(pageSize: Int) throws -> [Schedule] {
    try allPages { last in
      let schedules = try page(after: last?.id, limit: pageSize)
      return DuePage(schedules: schedules, isLast: schedules.isEmpty)
    }
  }

  func schedule(_ id: String) throws -> Schedule? {
    try schedules([ScheduleID(stored: Array(id.utf8))])[0]
  }
}

extension Schedule {
  /// Its position in a list by due time; nil once it has ended.
  var duePosition: DuePosition? {
    nextTick.map { .listed(due: $0.due, generation: generation) }
  }
}

/// Reads page after page. Fails if a store returns a schedule twice, rather than reading forever.
func allPages(_ page: (Schedule?) throws -> DuePage) throws -> [Schedule] {
  var schedules: [Schedule] = []
  var generations: Set<Int64> = []
  while true {
    let page = try page(schedules.last)
    try expect(page.isLast || !page.schedules.isEmpty, "a page is empty and not the last")
    for schedule in page.schedules {
      try expect(generations.insert(schedule.generation).inserted, "generation \(schedule.generation) comes twice")
    }
    schedules += page.schedules
    if page.isLast { return schedules }
  }
}
