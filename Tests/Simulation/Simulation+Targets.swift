import Scheduling
import SchedulingTestKit

/// The operator's list of who may publish to which target, as a process reads it at its start. An administrator may publish
/// everywhere, an application to one exchange, and a message that names no login nowhere.
package struct TargetList: Equatable, Sendable {
  static let administrator = "alice", application = "bob"

  /// The exchanges to which nobody may publish any more.
  var withdrawn: [String] = []

  func allows(_ target: Target, _ user: String?) -> Bool {
    guard !withdrawn.contains(target.place) else { return false }
    return user == Self.administrator || user == Self.application && target.place == Target.simulated[0].place
  }
}

extension Target {
  static let simulated = [
    Target(exchange: "x", detailType: "Alarm"), Target(exchange: "y", routingKey: "k", body: .payload),
    Target(detailType: "Alarm"),
  ]

  /// The exchange, or the event bus.
  var place: String { exchange ?? "bus" }
}

/// The second publishing connection, and what it publishes: it fails independently of the first.
extension Simulation {
  /// Beside each step, so that the event bus is as busy as without targets.
  mutating func touchTargets() {
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<8: letBrokerRead(.targets)
    case 8..<16: letBrokerAnswer(.targets)
    case 16..<18: toggleConnection(.targets)
    case 18: toggleBlocking(.targets)
    default: toggleMissing()
    }
  }

  /// An exchange is removed, or declared again.
  private mutating func toggleMissing() {
    broker.missing = broker.missing.isEmpty && random.oneIn(2) ? somePlaces() : []
  }

  private mutating func somePlaces() -> [String] {
    let all = Target.simulated.map(\.place)
    return random.oneIn(3) ? all : [all.randomElement(using: &random)].compactMap { $0 }
  }

  /// The operator changes the list before the next process begins.
  mutating func changeTargetList() {
    guard random.oneIn(3) else { return }
    targetList.withdrawn = targetList.withdrawn.isEmpty ? somePlaces() : []
    if !targetList.withdrawn.isEmpty { reach(.targetsWithdrawn) }
  }

  /// P33: while nothing can leave for targets, all other schedules, and all commands, get what they asked for.
  mutating func finishWithoutTargets() throws {
    var (outlets, isAnswered) = (Outlet.allCases, true)
    switch Int.random(in: 0..<4, using: &random) {
    case 0: broker.missing = Target.simulated.map(\.place)
    case 1:
      targetList.withdrawn = Target.simulated.map(\.place)
      try crash()
    case 2:
      broker.areTargetsSilent = true
      isAnswered = false
    default:
      disconnect(.targets)
      outlets = [.bus]
    }
    try letTimePass(rounds: 4, on: outlets)
    // Each command may wait for a triggered event until that is given up, and those behind it as well.
    for _ in 0..<400 where !broker.isQueueDone || engine.hasInbox {
      try letTimePass(rounds: 1, on: outlets)
    }
    reach(.finishedWithoutTargets)
    note(.finishedBesideTargets(isAnswered: isAnswered))
  }

  /// The same the other way round: without the event bus, ticks with a target leave.
  mutating func finishWithoutBus() throws {
    try letTimePass(rounds: 4)
    disconnect(.bus)
    try letTimePass(rounds: 2, on: [.targets])
    note(.finishedBesideBus)
  }

  /// Everything may leave for targets again.
  mutating func restoreTargets() throws {
    broker.missing = []
    broker.areTargetsSilent = false
    if broker[.targets].isBlocking { toggleBlocking(.targets) }
    guard !targetList.withdrawn.isEmpty else { return }
    targetList.withdrawn = []
    try crash()
  }
}
