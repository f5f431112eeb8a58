import Recurrence

/// The largest event that the broker accepts. A command whose schedule's events could be larger is rejected: an error for
/// the client is better than missing ticks.
struct EventSizeLimit {
  /// The size of an event's body, in bytes.
  private let bodyBytes: @Sendable (OutgoingEvent) -> Int
  /// In bytes; nil when it is not known.
  var largestBody: Int?

  init(bodyBytes: @escaping @Sendable (OutgoingEvent) -> Int) { self.bodyBytes = bodyBytes }

  /// The rejection of a command that would leave a schedule with events that may be too large; nil when all of them fit.
  func refusal(of command: Command, _ definition: Definition, ignored: [String] = []) -> Rejection? {
    guard let largestBody, (definition.payload?.count ?? 0) + Self.mostBeside > largestBody else { return nil }
    let events: [OutgoingEvent] = [
      .started(
        Started(
          definition: definition, generation: .max, counter: .max, nextSlot: Self.late, effect: .replaced,
          ignored: ignored)),
      .tick(
        Tick(
          definition: definition, generation: .max, counter: .max, slot: Self.late, missed: 1000, nextSlot: Self.late,
          isTriggered: true)),
      .stopped(
        Stopped(
          definition: definition, id: definition.id, generation: .max, counter: .max,
          reason: String(repeating: "r", count: Self.longestReason))),
      .controlled(Self.longestPaused(definition)),
    ]
    let largest = events.map(bodyBytes).max() ?? 0
    guard largest > largestBody else { return nil }
    return Rejection(
      id: definition.id, command: command.name.rawValue,
      field: definition.payload == nil ? "body" : "payload",
      reason: "its events would be up to \(largest) bytes long, and the broker accepts at most \(largestBody)"
        + " (its max_message_size): make the payload shorter")
  }

  private static func longestPaused(_ definition: Definition) -> Controlled {
    var schedule = Schedule(
      definition: definition, origin: Origin(), key: Schedule.Key(generation: .max, cohort: 0),
      progress: Schedule.Progress(state: .live(Schedule.NextTick(slot: late, due: late)), counter: .max))
    schedule.control.revision = .max
    schedule.control.pause = Schedule.Pause(
      since: late, until: late, reason: String(repeating: "r", count: longestReason))
    return Controlled(.paused, schedule)
  }

  /// An event is smaller than this, not counting its payload. In bytes.
  private static let mostBeside = 65_536
  private static let longestReason = 1024
  /// The last instant with a year of four digits.
  private static let late = Instant(milliseconds: 253_402_300_799_999)
}
