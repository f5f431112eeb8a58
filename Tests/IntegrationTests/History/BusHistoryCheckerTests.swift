import Testing

/// The checker accepts a good history and finds each fault that is put into it.
@Suite("The checker of histories")
struct BusHistoryCheckerTests {
  private typealias Entry = BusHistory.Entry
  private typealias Received = BusHistory.Received

  /// A schedule limited to three ticks, a one-shot, a stopped one, and garbage; a crash after which a tick is sent twice.
  private static let good: [Entry] = {
    let limited = start(1, "limited", .recurring(step: 1000, limit: 3, misfire: nil))
    let once = start(2, "once", .once)
    let endless = start(3, "endless", .recurring(step: 1000, limit: nil, misfire: "fireAll"))
    let stop = SentCommand(label: 4, id: "endless", kind: .stop, hasMessageID: true, detail: "")
    let garbage = SentCommand(label: 5, id: "", kind: .garbage, hasMessageID: true, detail: "{")
    let (pause, trigger, resume) = (
      control(6, "Schedule Pause"), control(7, "Schedule Trigger"), control(8, "Schedule Resume")
    )
    return [
      Entry(at: 0, event: .published(pause)), Entry(at: 0, event: .confirmed(label: 6)),
      Entry(at: 0, event: .published(trigger)), Entry(at: 0, event: .confirmed(label: 7)),
      Entry(at: 0, event: .published(resume)), Entry(at: 0, event: .confirmed(label: 8)),
      Entry(at: 0, event: .published(limited)), Entry(at: 1, event: .confirmed(label: 1)),
      Entry(at: 2, event: .received(outcome("Schedule Started", limited, next: 1000))),
      Entry(at: 3, event: .published(once)), Entry(at: 3, event: .confirmed(label: 2)),
      Entry(at: 4, event: .received(outcome("Schedule Started", once, next: 1500))),
      Entry(at: 5, event: .published(endless)), Entry(at: 5, event: .confirmed(label: 3)),
      Entry(at: 6, event: .received(outcome("Schedule Started", endless, next: 1000))),
      Entry(at: 7, event: .published(garbage)), Entry(at: 7, event: .confirmed(label: 5)),
      Entry(at: 8, event: .received(outcome("Schedule Rejected", garbage))),
      Entry(at: 8, event: .deadLettered(messageID: "5")),
      Entry(at: 1001, event: .received(tick(limited, 0, slot: 1000))),
      Entry(at: 1001, event: .received(tick(endless, 0, slot: 1000))),
      Entry(at: 1100, event: .fault(.serviceKilled)), Entry(at: 3900, event: .recovered),
      Entry(at: 4000, event: .received(tick(endless, 0, slot: 1000, sent: 3950))),
      Entry(at: 4000, event: .received(tick(once, 0, slot: 1500, sent: 3950, next: nil))),
      Entry(at: 4000, event: .received(tick(endless, 1, slot: 2000, sent: 3951))),
      Entry(at: 4000, event: .received(controlled("Schedule Paused", endless, pause, isPaused: true))),
      Entry(at: 4000, event: .received(controlled("Schedule Triggered", endless, trigger))),
      Entry(at: 4000, event: .received(triggeredTick(endless, by: trigger))),
      Entry(at: 4000, event: .received(controlled("Schedule Resumed", endless, resume, isPaused: false))),
      Entry(at: 4001, event: .received(tick(limited, 1, slot: 3000, sent: 3951, missed: 1))),
      Entry(at: 4002, event: .received(tick(endless, 2, slot: 3000, sent: 3952))),
      Entry(at: 4003, event: .received(tick(limited, 2, slot: 4000, sent: 4000, next: nil))),
      Entry(
        at: 4004, event: .received(outcome("Schedule Stopped", limited, counter: 3, reason: "Count Limit Reached"))),
      Entry(at: 4005, event: .published(stop)), Entry(at: 4006, event: .confirmed(label: 4)),
      Entry(
        at: 4007,
        event: .received(outcome("Schedule Stopped", endless, by: stop, counter: 3, reason: "stop 4"))),
    ]
  }()

  private static func start(_ label: Int, _ id: String, _ kind: SentCommand.Kind) -> SentCommand {
    SentCommand(label: label, id: id, kind: kind, hasMessageID: true, detail: "")
  }

  private static func outcome(
    _ name: String, _ command: SentCommand, by answered: SentCommand? = nil, counter: Int = 0, reason: String? = nil,
    next: Int64? = nil
  ) -> Received {
    let answered = name == "Schedule Stopped" ? answered : command
    return Received(
      name: name, id: command.id, command: answered?.label, label: command.isStart ? command.label : nil,
      counter: counter, next: next, missed: 0, sent: 0, reason: reason, isKept: false, body: "\(name) \(command.label)")
  }

  private static func tick(
    _ start: SentCommand, _ counter: Int, slot: Int64, sent: Int64? = nil, missed: Int = 0, next: Int64? = 0
  ) -> Received {
    Received(
      name: "Schedule Tick", id: start.id, command: start.label, label: start.label, counter: counter, slot: slot,
      next: next.map { $0 == 0 ? slot + 1000 : $0 }, missed: missed, sent: sent ?? slot, isKept: false,
      body: "\(start.id)@\(slot) \(counter) \(missed)")
  }

  private static func control(_ label: Int, _ name: String) -> SentCommand {
    SentCommand(label: label, id: "other", kind: .control(name), hasMessageID: true, detail: "")
  }

  private static func controlled(
    _ name: String, _ start: SentCommand, _ command: SentCommand, isPaused: Bool? = nil
  ) -> Received {
    Received(
      name: name, id: start.id, command: command.label, label: start.label, missed: 0, sent: 3951, isKept: false,
      body: "\(name) \(start.label)", isPaused: isPaused)
  }

  private static func triggeredTick(_ start: SentCommand, by trigger: SentCommand) -> Received {
    Received(
      name: "Schedule Tick", id: start.id, command: trigger.label, label: trigger.label, counter: 2, slot: 2500,
      missed: 0, sent: 3951, isKept: false, body: "\(start.id)@2500 trigger", isTriggered: true)
  }

  private func violations(_ entries: [Entry]) -> [String] { BusHistoryChecker.check(BusHistory(entries)).violations }

  @Test("a good history has no violation")
  func good() {
    #expect(violations(Self.good) == [])
    #expect(BusHistoryChecker.check(BusHistory(Self.good)).figures.repeats == 1)
  }

  /// A change to the good history, and the promise that it breaks.
  @Test("each fault in a history is found", arguments: Flaw.allCases)
  func faults(fault: Flaw) throws {
    let found = violations(fault.plant(in: Self.good))
    #expect(found.contains { $0.hasPrefix(fault.promise) }, "\(fault): \(found)")
  }

  enum Flaw: CaseIterable {
    case commandLost, rubbishLost, goodCommandDeadLettered, tickLost, tickLostAtTheEnd, oneShotLost, repeatDiffers
    case repeatWithoutCause, newIDOnRepeat, limitPassed, limitNotReached, stoppedMissing, miscounted, early
    case afterStopped, outOfOrder, startedTwice, ticksThoughKept, tickWhilePaused, triggeredTickLost

    var promise: String {
      switch self {
      case .rubbishLost, .goodCommandDeadLettered: "P1"
      case .ticksThoughKept: "P2"
      case .commandLost: "P3"
      case .tickLost, .oneShotLost: "P5"
      case .repeatDiffers: "P6"
      case .repeatWithoutCause: "P7"
      case .newIDOnRepeat, .startedTwice, .tickLostAtTheEnd: "P8"
      case .limitPassed, .limitNotReached, .stoppedMissing, .miscounted: "P8"
      case .early: "P9"
      case .afterStopped: "P10"
      case .outOfOrder: "P11"
      case .tickWhilePaused: "P27"
      case .triggeredTickLost: "P31"
      }
    }

    fileprivate func plant(in entries: [BusHistory.Entry]) -> [BusHistory.Entry] {
      var entries = entries
      switch self {
      case .commandLost: entries.removeAll { isReceived($0, "Schedule Stopped 3") }
      case .rubbishLost: entries.removeAll { if case .deadLettered = $0.event { true } else { false } }
      case .goodCommandDeadLettered: entries.append(.init(at: 5000, event: .deadLettered(messageID: "3")))
      case .tickLost: entries.removeAll { isReceived($0, "endless@2000 1 0") }
      case .tickLostAtTheEnd: entries.removeAll { isReceived($0, "endless@3000 2 0") }
      case .oneShotLost: entries.removeAll { isReceived($0, "once@1500 0 0") }
      case .repeatDiffers: change(&entries, "endless@1000 0 0", from: 2000) { $0.body += "!" }
      case .repeatWithoutCause: entries.removeAll { if case .fault = $0.event { true } else { false } }
      case .newIDOnRepeat:
        change(&entries, "endless@1000 0 0", from: 2000) {
          $0.slot = 1001
          $0.body = "endless@1001 0 0"
        }
      case .limitPassed: append(&entries, after: "limited@4000 2 0") { $0.counter = 3 }
      case .limitNotReached: entries.removeAll { isReceived($0, "limited@4000 2 0") }
      case .stoppedMissing: entries.removeAll { isReceived($0, "Schedule Stopped 1") }
      case .miscounted: change(&entries, "Schedule Stopped 1") { $0.counter = 2 }
      case .early: change(&entries, "once@1500 0 0") { $0.sent = 1499 }
      case .afterStopped:
        append(&entries, after: "Schedule Stopped 3") {
          $0 = BusHistoryCheckerTests.tick(
            BusHistoryCheckerTests.start(3, "endless", .once), 3, slot: 4000)
        }
      case .outOfOrder:
        entries.swapAt(
          entries.firstIndex { isReceived($0, "endless@2000 1 0") } ?? 0,
          entries.firstIndex { isReceived($0, "endless@3000 2 0") } ?? 0)
      case .startedTwice:
        append(&entries, after: "endless@3000 2 0") {
          $0.counter = 0
          $0.slot = 3500
          $0.body = "endless@3500 0 0"
        }
      case .tickWhilePaused:
        change(&entries, "Schedule Resumed 3") {
          $0.isPaused = true; $0.name = "Schedule Paused"
        }
      case .triggeredTickLost: entries.removeAll { isReceived($0, "endless@2500 trigger") }
      case .ticksThoughKept: change(&entries, "Schedule Started 3") { $0.isKept = true }
      }
      return entries
    }

    private func isReceived(_ entry: BusHistory.Entry, _ body: String) -> Bool {
      if case .received(let event) = entry.event { event.body == body } else { false }
    }

    private func change(
      _ entries: inout [BusHistory.Entry], _ body: String, from time: Int64 = 0,
      _ edit: (inout BusHistory.Received) -> Void
    ) {
      for index in entries.indices where entries[index].at >= time {
        guard case .received(var event) = entries[index].event, event.body == body else { continue }
        edit(&event)
        entries[index].event = .received(event)
      }
    }

    private func append(
      _ entries: inout [BusHistory.Entry], after body: String, _ edit: (inout BusHistory.Received) -> Void
    ) {
      guard let index = entries.lastIndex(where: { isReceived($0, body) }),
        case .received(var event) = entries[index].event
      else { return }
      event.body += "+"
      event.slot = (event.slot ?? 0) + 1000
      edit(&event)
      event.sent = max(event.sent, event.slot ?? 0)
      entries.insert(.init(at: 6000, event: .received(event)), at: index + 1)
    }
  }
}
