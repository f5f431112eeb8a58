import Recurrence
import Scheduling
@testable import Simulation
import Testing

/// A checker that finds nothing proves nothing: each promise is broken in the history of a good run, and it must be
/// seen.
struct SimulationCheckerTests {
  typealias Entry = SimulationHistory.Entry

  /// Each with a part of what is said about it.
  enum Breach: String, CaseIterable {
    case commandLost = "P1: message"
    case appliedTwice = "took effect 2 times"
    case answeredOtherwise = "is answered"
    case unanswered = "P3: message"
    case announcedTooEarly = "P4: Started"
    case slotLeftOut = "leaves out"
    case markFarAhead = "P5: the mark is"
    case missedSlotSent = "ms late, is"
    case advancedUnconfirmed = "P6: "
    case retriedAtOnce = "0 ms after it was refused"
    case givenUpAtOnce = "is given up after 0 ms"
    case outcomeGivenUpAtOnce = "is given up 0 ms after it was sent"
    case repeated = "P7: "
    case beyondTheLimit = "P8: "
    case stoppedStillOwed = "without its Stopped"
    case early = "P9: "
    case tickAfterStopped = "P10: "
    case outOfOrder = "P11: "
    case clockSetBackByNothing = "P12: "
    case sentWhileBlocked = "P15: "
    case sentWhileTheStoreFails = "P16: "
    case targetNotAllowed = "P32: "
    case waitsForTheBus = "P33: "

    /// What becomes of an entry; nil leaves it as it is.
    func alter(_ entry: Entry) -> [Entry]? {
      func replaced(by events: SimulationHistory.Event...) -> [Entry] {
        events.map { Entry(now: entry.now, event: $0) }
      }
      switch (self, entry.event) {
      case (.commandLost, .settled): return []
      case (.appliedTwice, .committed(let changes)): return Self.doubled(changes).map { replaced(by: .committed($0)) }
      case (.answeredOtherwise, .confirmed(var publication)):
        guard case .started(var started) = publication.event, publication.number.isMultiple(of: 2) else { return nil }
        started.effect = started.effect == .kept ? .created : .kept
        publication.content = .event(.started(started))
        return replaced(by: .confirmed(publication))
      case (.unanswered, .confirmed(let publication)) where !publication.isTick: return []
      case (.announcedTooEarly, .committed(let changes)) where changes.contains(where: \.isStart): return []
      case (.slotLeftOut, .committed(let changes)): return Self.skipping(changes).map { replaced(by: .committed($0)) }
      case (.markFarAhead, .committed(let changes)):
        return replaced(by: .committed(changes.map(Self.withMarkFurtherAhead)))
      case (.missedSlotSent, .sent(let publication)) where publication.isTick:
        return [Self.moved(entry, by: 3 * 86_400_000)]
      case (.retriedAtOnce, .refused(let publication)) where publication.isTick:
        return replaced(by: entry.event, .sent(publication))
      case (.givenUpAtOnce, .sent(let publication)):
        guard case .tick(let tick) = publication.event else { return nil }
        return replaced(by: entry.event, .gaveUp(tick.definition.id, slot: tick.slot))
      case (.outcomeGivenUpAtOnce, .sent(let publication)) where !publication.isTick:
        guard let event = publication.event else { return nil }
        return replaced(by: entry.event, .gaveUpOutcome(event, publication.origin))
      case (.stoppedStillOwed, .committed(let changes)):
        return replaced(by: .committed(changes.filter { if case .announced = $0 { false } else { true } }))
      case (.clockSetBackByNothing, .sent): return replaced(by: .clockSetBack, entry.event)
      case (.sentWhileBlocked, .sent): return replaced(by: .blocked(.bus), entry.event)
      case (.sentWhileTheStoreFails, .sent): return replaced(by: .storeFailed, entry.event)
      case (.targetNotAllowed, .began(let window, _)):
        let nowhere = TargetList(withdrawn: Target.simulated.map(\.place))
        return replaced(by: .began(repeatWindowMilliseconds: window, nowhere))
      case (.waitsForTheBus, .sent(let publication)) where publication.isTick:
        return replaced(by: entry.event, .finishedBesideBus)
      case (.advancedUnconfirmed, .confirmed(let publication)) where publication.isTick: return []
      case (.repeated, .sent(let publication)) where publication.isTick: return [entry, entry]
      case (.beyondTheLimit, .arrived(let publication)):
        guard case .tick(let tick) = publication.event, tick.definition.limit ?? 0 > 0, tick.nextSlot == nil else {
          return nil
        }
        return replaced(by: entry.event, .arrived(Self.moved(publication, tick, by: 86_400_000)))
      case (.early, .sent): return [Self.moved(entry, by: -7_200_000)]
      case (.tickAfterStopped, .arrived(let publication)):
        guard case .stopped(let stopped) = publication.event, let definition = stopped.definition else { return nil }
        let tick = Tick(
          definition: definition, generation: stopped.generation, counter: 0, slot: .second(1_000_000), missed: 0,
          nextSlot: nil)
        return replaced(
          by: entry.event, .arrived(Publication(number: 0, content: .event(.tick(tick)), origin: publication.origin)))
      case (.outOfOrder, .arrived(let publication)):
        guard case .tick(let tick) = publication.event else { return nil }
        return replaced(by: entry.event, .arrived(Self.moved(publication, tick, by: -1000)))
      default: return nil
      }
    }

    private static func moved(_ entry: Entry, by milliseconds: Int64) -> Entry {
      Entry(
        now: Now(wall: entry.now.wall.advanced(byMilliseconds: milliseconds), uptime: entry.now.uptime),
        event: entry.event)
    }

    private static func moved(_ publication: Publication, _ tick: Tick, by milliseconds: Int64) -> Publication {
      var tick = tick
      tick.slot = tick.slot.advanced(byMilliseconds: milliseconds)
      return Publication(number: publication.number, content: .event(.tick(tick)), origin: publication.origin)
    }

    private static func withMarkFurtherAhead(_ change: Change) -> Change {
      guard case .markInDoubt(let through) = change else { return change }
      return .markInDoubt(through: through.advanced(byMilliseconds: 27_000))
    }

    /// A Start applied a second time, under another generation.
    private static func doubled(_ changes: [Change]) -> [Change]? {
      for case .start(var schedule, _) in changes {
        schedule.key.generation += 1_000_000
        return changes + [.start(schedule)]
      }
      return nil
    }

    /// An advance that leaves out a slot.
    private static func skipping(_ changes: [Change]) -> [Change]? {
      guard case .advance(let key, let slot, var progress, _, _)? = changes.first, var next = progress.state.nextTick
      else {
        return nil
      }
      next.slot = next.slot.advanced(byMilliseconds: 60_000)
      progress.state = .live(next)
      return [.advance(key, from: slot, to: progress)] + changes.dropFirst()
    }
  }

  private static let histories = Result {
    try (0..<20).map { try Simulation.run(seed: $0, steps: 400).history }
  }

  @Test(arguments: Breach.allCases)
  func breachIsSeen(_ breach: Breach) throws {
    var seen = 0
    for history in try Self.histories.get() {
      try #require(SimulationChecker.check(history).violations.isEmpty)
      let broken = history.altered { breach.alter($0) ?? [$0] }
      if SimulationChecker.check(broken).violations.contains(where: { $0.contains(breach.rawValue) }) { seen += 1 }
    }
    #expect(seen > 0)
  }
}

extension Change {
  fileprivate var isStart: Bool { if case .start = self { true } else { false } }
}
