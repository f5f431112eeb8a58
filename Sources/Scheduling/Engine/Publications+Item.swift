import Recurrence

extension Publications {
  /// What a publication is about, which determines what its confirm leads to.
  enum Subject: Hashable, Sendable {
    case tick(generation: Int64)
    /// The outcome of a command, which is then settled with the broker.
    case answer(CommandSource, channel: UInt64?, Acknowledgements.Settlement)
    /// An inbox command on its way to the dead queue.
    case deadLetter(InboxPosition)
    /// An event whose outbox is the row of its schedule.
    case owed(OwedEvent, generation: Int64, id: ScheduleID)

    var isTick: Bool {
      if case .tick = self { true } else { false }
    }
  }

  struct Item: Sendable {
    let subject: Subject
    let content: Publication.Content
    let origin: Origin
    /// Whether it may have been sent before, on an earlier connection or by an earlier process.
    var isRepeat = false
    /// How often it was nacked or timed out.
    var refusals = 0
    /// How long it has backed off in total, in milliseconds.
    var backedOffMilliseconds: Int64 = 0
    var isReturned = false
    /// When it was last sent.
    var sent = Instant(milliseconds: 0)
    /// How long the broker took to confirm it, in milliseconds.
    var confirmation: Int32 = 0
  }
}

extension Publications.Item {
  /// The schedule that it is about, if known.
  var scheduleID: ScheduleID? {
    if case .event(let event) = content { event.scheduleID } else { nil }
  }

  /// The size of its payload, in bytes.
  var payloadBytes: Int {
    if case .event(let event) = content { event.payloadBytes } else { 0 }
  }
}

extension Schedule.Tally {
  /// The history of a confirmed tick.
  init(_ tick: Tick, _ item: Publications.Item) {
    self.init(
      missed: tick.missed, repeats: item.isRepeat ? 1 : 0, refusals: item.refusals, returns: item.isReturned ? 1 : 0,
      last: Last(
        slot: tick.slot, jitterMilliseconds: tick.due.milliseconds - tick.slot.milliseconds,
        latenessMilliseconds: item.sent.milliseconds - tick.due.milliseconds,
        confirmationMilliseconds: Int64(item.confirmation)))
  }
}
