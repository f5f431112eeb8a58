import Recurrence
import Scheduling
@testable import Simulation
import Testing

/// A checker that finds nothing proves nothing: each promise is broken in the history of a good run, and it must be seen.
struct SimulationCheckerTests {
  typealias Entry = SimulationHistory.Entry

  enum Breach: String, CaseIterable {
    case commandLost = "P1: message"
    case appliedTwice = "P2: message"
    case unanswered = "P3: message"
    case announcedTooEarly = "P4: Started"
    case slotLeftOut = "P5: "
    case advancedUnconfirmed = "P6: "
    case repeated = "P7: "
    case beyondTheLimit = "P8: "
    case early = "P9: "
    case tickAfterStopped = "P10: "
    case outOfOrder = "P11: "

    /// What becomes of an entry; nil leaves it as it is.
    func alter(_ entry: Entry) -> [Entry]? {
      func replaced(by events: SimulationHistory.Event...) -> [Entry] {
        events.map { Entry(now: entry.now, event: $0) }
      }
      switch (self, entry.event) {
      case (.commandLost, .settled): return []
      case (.appliedTwice, .committed(let changes)): return Self.doubled(changes).map { replaced(by: .committed($0)) }
      case (.unanswered, .confirmed(let publication)) where !publication.event.isTick: return []
      case (.announcedTooEarly, .committed(let changes)) where changes.contains(where: \.isStart): return []
      case (.slotLeftOut, .committed(let changes)): return Self.skipping(changes).map { replaced(by: .committed($0)) }
      case (.advancedUnconfirmed, .confirmed(let publication)) where publication.event.isTick: return []
      case (.repeated, .sent(let publication)) where publication.event.isTick: return [entry, entry]
      case (.beyondTheLimit, .arrived(let publication)):
        guard case .tick(let tick) = publication.event, tick.definition.limit ?? 0 > 0, tick.nextSlot == nil else {
          return nil
        }
        return replaced(by: entry.event, .arrived(Self.moved(publication, tick, by: 86_400_000)))
      case (.early, .sent):
        let now = Now(wall: entry.now.wall.advanced(byMilliseconds: -7_200_000), uptime: entry.now.uptime)
        return [Entry(now: now, event: entry.event)]
      case (.tickAfterStopped, .arrived(let publication)):
        guard case .stopped(let stopped) = publication.event, let definition = stopped.definition else { return nil }
        let tick = Tick(
          definition: definition, generation: stopped.generation, counter: 0, slot: .second(1_000_000), missed: 0,
          nextSlot: nil)
        return replaced(
          by: entry.event, .arrived(Publication(number: 0, event: .tick(tick), origin: publication.origin)))
      case (.outOfOrder, .arrived(let publication)):
        guard case .tick(let tick) = publication.event else { return nil }
        return replaced(by: entry.event, .arrived(Self.moved(publication, tick, by: -1000)))
      default: return nil
      }
    }

    private static func moved(_ publication: Publication, _ tick: Tick, by milliseconds: Int64) -> Publication {
      var tick = tick
      tick.slot = tick.slot.advanced(byMilliseconds: milliseconds)
      return Publication(number: publication.number, event: .tick(tick), origin: publication.origin)
    }

    /// A Start applied a second time, under another generation.
    private static func doubled(_ changes: [Change]) -> [Change]? {
      for case .start(var schedule) in changes {
        schedule.generation += 1_000_000
        return changes + [.start(schedule)]
      }
      return nil
    }

    /// An advance that leaves out a slot.
    private static func skipping(_ changes: [Change]) -> [Change]? {
      guard case .proceed(let generation, let slot, .live(var next), let counter)? = changes.first else { return nil }
      next.slot = next.slot.advanced(byMilliseconds: 60_000)
      return [.proceed(generation: generation, from: slot, to: .live(next), counter: counter)] + changes.dropFirst()
    }
  }

  private static let histories = Result {
    try (0..<20).map { try Simulation.run(seed: $0, steps: 120).history }
  }

  @Test(arguments: Breach.allCases)
  func breachIsSeen(_ breach: Breach) throws {
    var seen = 0
    for history in try Self.histories.get() {
      try #require(SimulationChecker.check(history).violations.isEmpty)
      let broken = history.altered { breach.alter($0) ?? [$0] }
      if SimulationChecker.check(broken).violations.contains(where: { $0.hasPrefix(breach.rawValue) }) { seen += 1 }
    }
    #expect(seen > 0)
  }
}

extension Change {
  fileprivate var isStart: Bool { if case .start = self { true } else { false } }
}
