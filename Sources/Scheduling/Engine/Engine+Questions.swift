import Recurrence

/// Question path: taken in the line of commands, read for, answered, and settled at once.
extension Engine {
  func questionRequest(for question: Question) -> StoreRequest {
    switch question {
    case .describe(let describe): .describe(describe.id)
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
