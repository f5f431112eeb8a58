import Recurrence

/// Question path: taken in the line of commands, read for, answered, and settled at once.
extension Engine {
  func questionRequest(for question: Question) -> StoreRequest {
    switch question {
    case .describe(let describe): .describe(describe.id)
    case .list(let list): .list(list)
    }
  }

  /// Also while the engine drains: there are few, and a question of the inbox has to leave it.
  mutating func questionWork() -> StoreLane.Work? {
    questions.takeNext(channel: intake.channel).map { .question($0) }
  }

  mutating func reply(to item: Questions.Item, with content: Reply.Content) {
    questions.answered(item)
    turn.reply(Reply(to: item.address, content, origin: item.origin))
    turn.report(.questionAnswered(item.question.name))
    outcomeConfirmed(item.source, on: item.channel, .acknowledge)
  }

  /// The answer to a Schedule List. The page ends before it becomes too large.
  func listed(_ list: Question.List, _ found: ScheduleList) -> Reply.Content {
    var (schedules, next) = (found.schedules[...], found.next)
    var bytes = 0
    if let end = schedules.firstIndex(where: { schedule in
      bytes += schedule.listedBytes
      return bytes > Self.mostListedBytes
    }), end > 0 {
      schedules = schedules[..<end]
      next = .id(schedules[end - 1].id)
    }
    guard case .id(let last) = next else { return .listed(Listed(schedules: Array(schedules))) }
    return .listed(
      Listed(schedules: Array(schedules), next: ListToken(after: last).text(of: list.search, secret: secret)))
  }

  /// 256 KiB, less what is beside the schedules.
  private static let mostListedBytes = 254 << 10

  /// The answer to a Schedule Describe.
  func described(_ describe: Question.Describe, _ schedule: Schedule?, _ history: Schedule.History?) -> Reply.Content {
    guard let schedule else {
      let rejection = Rejection(
        id: describe.id, command: EventName.describe.rawValue, field: "id",
        reason: "no such schedule: nothing is stored under this id")
      return .event(.rejected(rejection))
    }
    let zone = rules(of: schedule.definition)
    return .described(
      Described(
        schedule: schedule, history: history ?? Schedule.History(),
        upcoming: zone.map { schedule.upcomingSlots(describe.next, in: $0) } ?? []))
  }
}

extension Schedule {
  /// No less than its size in a listing, in bytes of JSON.
  fileprivate var listedBytes: Int {
    var texts = [definition.group, definition.timezone].compactMap { $0 } + (definition.tags ?? [])
    if case .cron(let expression) = definition.timing { texts.append(expression.text) }
    // With a comma and quotes; a control character takes six bytes.
    return texts.reduce(512 + 2 * id.bytes.count) { sum, text in
      sum + 3
        + text.utf8.reduce(0) { $0 + ($1 < 0x20 ? 6 : $1 == UInt8(ascii: "\"") || $1 == UInt8(ascii: "\\") ? 2 : 1) }
    }
  }
}
