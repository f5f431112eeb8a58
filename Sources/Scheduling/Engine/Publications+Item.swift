import Recurrence

extension Publications {
  /// What a publication is about, and so what follows from its confirm.
  enum Subject: Hashable, Sendable {
    case tick(generation: Int64)
    /// The outcome of a command, which is then settled with the broker.
    case answer(CommandSource, channel: UInt64?, Acknowledgements.Settlement)
    /// A command of the inbox on its way to the dead queue.
    case deadLetter(InboxPosition)
    /// The Stopped that a schedule owes since it ended by itself.
    case owedStopped(generation: Int64, id: ScheduleID)

    var isTick: Bool {
      if case .tick = self { true } else { false }
    }
  }

  struct Item: Sendable {
    let subject: Subject
    let content: Publication.Content
    let origin: Origin
    /// Whether it may have been sent before, on another connection or by an earlier process.
    var isRepeat = false
    /// How often the broker refused it, or did not confirm it in time.
    var refusals = 0
    /// The milliseconds for which it backed off after refusals, all in all.
    var heldBack: Int64 = 0
    /// Whether it was unroutable.
    var isReturned = false
    /// When it was sent last, and how long the broker took to confirm that, in milliseconds.
    var sent = Instant(milliseconds: 0)
    var confirmation: Int32 = 0
  }
}

extension Publications.Item {
  /// The schedule that it is about, if that is known.
  var scheduleID: ScheduleID? {
    if case .event(let event) = content { event.scheduleID } else { nil }
  }

  /// The size of the payload that it carries, in bytes.
  var payloadBytes: Int {
    if case .event(let event) = content { event.payloadBytes } else { 0 }
  }
}

extension Schedule.Tally {
  /// Of a tick that was confirmed.
  init(_ tick: Tick, _ item: Publications.Item) {
    self.init(
      missed: tick.missed, repeats: item.isRepeat ? 1 : 0, refusals: item.refusals, returns: item.isReturned ? 1 : 0,
      last: Last(
        slot: tick.slot, jitterMilliseconds: tick.due.milliseconds - tick.slot.milliseconds,
        latenessMilliseconds: item.sent.milliseconds - tick.due.milliseconds,
        confirmationMilliseconds: Int64(item.confirmation)))
  }
}
