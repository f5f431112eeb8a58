import Scheduling
import SchedulingTestKit

/// A publication on which the broker closes the channel or the connection: earlier ones are routed and mostly
/// unconfirmed, later ones are lost. The publisher identifies it, and reports it before the loss of the connection.
extension Simulation {
  /// From here on nothing about one of the schedules can be published.
  mutating func poison() {
    guard broker.poisoned.isEmpty else { return cure() }
    broker.poisoned = [SimulatedClients.ids.randomElement(using: &random)].compactMap { $0 }
    note(.poisoned(broker.poisoned))
  }

  mutating func cure() {
    broker.poisoned = []
    note(.poisoned([]))
  }

  /// The broker reads the next publication and closes the channel on it. Among several unconfirmed ones it may take the
  /// publisher another connection to know which it was.
  mutating func closeChannelAtNext(_ outlet: Outlet) {
    let link = broker[outlet]
    guard !link.isBlocking, let culprit = link.unread.first else { return }
    reach(.closedChannel)
    let isExplained = link.unanswered.isEmpty && link.unread.count == 1 || !random.oneIn(3)
    _ = broker[outlet].disconnect()
    note(.connectionLost(outlet))
    if isExplained {
      note(.refused(culprit))
      receive(.nacked([culprit.number], cause: "the broker closed the channel", on: outlet))
    } else {
      reach(.closedChannelUnexplained)
    }
    receive(.publisherDown(on: outlet))
  }

  /// Ahead of the frames that settle their commands, which come before the reports.
  mutating func noteGivenUpOutcomes(_ actions: [Engine.Action]) {
    for case .report(let reports) in actions {
      for case .outcomeExpired(let event, let origin, _) in reports { note(.gaveUpOutcome(event, origin)) }
    }
  }

  /// Repairs everything but the poison, and lets time pass until all other schedules have what they asked for.
  mutating func finishBesidePoison() throws {
    try letTimePass(rounds: 60)
    note(.finishedBesidePoison)
  }
}
