package import Recurrence

/// A Schedule Stop, Pause or Resume of all live schedules that a client selects by group or prefix. Each of them gets
/// the command, and the outcome, that a client could have sent for it alone.
package struct BatchCommand: Hashable, Sendable {
  package enum Selector: Hashable, Sendable {
    /// The bytes of the group's name.
    case group([UInt8])
    /// The bytes that the ids begin with; not empty.
    case prefix([UInt8])
  }

  package enum Action: Hashable, Sendable {
    case stop(reason: String)
    /// - Parameter time: The event's own, from which `end` may count.
    case pause(end: Command.Pause.End?, reason: String?, time: Instant?)
    case resume(misfirePolicy: MisfirePolicy?, reason: String?)
  }

  package var selector: Selector
  package var action: Action
  /// If more schedules match, nothing is done.
  package var maximum: Int

  package static let usualMaximum = 1000
  package static let largestMaximum = 100_000

  package init(selector: Selector, action: Action, maximum: Int = usualMaximum) {
    self.selector = selector
    self.action = action
    self.maximum = maximum
  }

  package var name: EventName { action.name }

  /// The command for one of the schedules.
  package func command(on id: ScheduleID) -> Command {
    switch action {
    case .stop(let reason): .stop(Command.Stop(id: id, reason: reason))
    case .pause(let end, let reason, let time): .pause(Command.Pause(id: id, end: end, reason: reason, time: time))
    case .resume(let policy, let reason):
      .resume(Command.Resume(id: id, misfirePolicy: policy, reason: reason))
    }
  }
}

extension BatchCommand.Action {
  package var name: EventName {
    switch self {
    case .stop: .stop
    case .pause: .pause
    case .resume: .resume
    }
  }
}

extension BatchCommand.Selector {
  /// The field of the event that selects.
  package var field: String {
    switch self {
    case .group: "group"
    case .prefix: "prefix"
    }
  }

  package var bytes: [UInt8] {
    switch self {
    case .group(let name): name
    case .prefix(let prefix): prefix
    }
  }

  /// For people.
  package var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Whether it may select a schedule with this id.
  func mayHold(_ id: ScheduleID) -> Bool {
    switch self {
    case .group: true
    case .prefix(let prefix): id.bytes.starts(with: prefix)
    }
  }

  /// All live schedules that it selects, in order of id.
  package var search: ScheduleSearch {
    switch self {
    case .group(let name): ScheduleSearch(group: name, lifecycle: .live)
    case .prefix(let prefix): ScheduleSearch(prefix: prefix, lifecycle: .live)
    }
  }
}

/// A batch command was applied to every schedule that matched.
package struct BatchDone: Hashable, Sendable {
  package var command: EventName
  package var selector: BatchCommand.Selector
  package var counts: BatchCounts

  package init(command: EventName, selector: BatchCommand.Selector, counts: BatchCounts) {
    self.command = command
    self.selector = selector
    self.counts = counts
  }
}

package struct BatchCounts: Hashable, Sendable {
  package var matched: Int
  /// How many of them the command changed.
  package var changed: Int

  package init(matched: Int = 0, changed: Int = 0) {
    self.matched = matched
    self.changed = changed
  }

  package var unchanged: Int { matched - changed }
}
