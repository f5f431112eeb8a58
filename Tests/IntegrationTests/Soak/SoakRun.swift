import Foundation
import Glibc

/// A soak: continuous traffic, and one fault after the other.
final class SoakRun {
  struct Plan: Sendable {
    var seed: UInt64
    var serviceKills: Int
    var brokerKills: Int
    /// Bursts of kills before all other faults.
    var bursts = 0
    /// No fault begins after this many seconds; faults left out are reported.
    var seconds: Double
    /// Where to write the history.
    var historyPath: String?
  }

  private let plan: Plan
  private let broker: PrivateBroker
  private let service: ServiceProcess
  let client: RecordingClient
  private var random: SoakGenerator
  /// Faults left out because time ran out.
  private(set) var leftOut = 0
  /// Milliseconds from each return of the broker to the first event after it.
  private(set) var returns: [Int64] = []

  init(_ plan: Plan, broker: PrivateBroker, url: String) throws {
    self.plan = plan
    self.broker = broker
    service = try ServiceProcess.make(broker: url)
    service.environment["POCKETWATCH_MISFIRE_THRESHOLD"] = "2s"  // short, to have missed slots
    client = try RecordingClient(service.names, broker: url)
    random = SoakGenerator(state: plan.seed)
  }

  /// Runs to the end. The result is in the client's history.
  func run() async throws {
    do {
      try await runUndisposed()
    } catch {
      client.stop()
      await service.dispose()
      throw error
    }
    client.stop()
    await service.dispose()
  }

  private func runUndisposed() async throws {
    let begin = ContinuousClock.now
    try client.start()
    try await service.start()
    try client.watchDeadLetters()
    try await Task.sleep(for: .seconds(10))  // a new quorum queue may be lost with a broker that is killed at once
    for burst in 0..<plan.bursts { try await killInABurst(burst) }
    let sending = Task { [client, seed = plan.seed] in
      var traffic = SoakTraffic(seed: seed)
      while !Task.isCancelled {
        for (command, isRepeat) in traffic.nextBurst() { client.publish(command, isRepeat: isRepeat) }
        try? await Task.sleep(for: .milliseconds(400))
      }
      return traffic
    }
    defer { sending.cancel() }
    for fault in faults() {
      guard ContinuousClock.now - begin < .seconds(plan.seconds) else {
        leftOut += 1
        continue
      }
      client.note(.fault(fault))
      try await cause(fault)
      client.note(.recovered)
      try await pause(0...1000)
    }
    sending.cancel()
    try await finish(await sending.value)
  }

  /// Sends many pairs of a Start and a Stop, and kills the service at least twice while it begins to decide them: the second
  /// kill comes a few milliseconds after it consumes again.
  private func killInABurst(_ burst: Int) async throws {
    client.note(.fault(.serviceKilled))
    let pairs = SoakTraffic.pairs(burst, count: 100)
    let before = client.outcomeCount
    for command in pairs { client.publish(command, isRepeat: false) }
    try await until("the first of the pairs") { client.outcomeCount > before }
    try await service.kill()
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      if random.oneIn(3) { try await broker.ctl("close_all_connections", "soak") }
      try service.launch()
      // It logs when they are in the inbox; the kill comes before or after that.
      let patience = Duration.milliseconds(Int.random(in: 50...2000, using: &random))
      _ = try? await service.logs("in the inbox", within: patience)
      try await pause(0...5)
      try await service.kill()
    }
    try await service.start()
    try await until("the outcomes of all pairs", within: 120) { client.haveEnded(Set(pairs.map(\.id))) }
    client.note(.recovered)
  }

  /// All faults in random order: those of the plan, and some of the milder kinds.
  private func faults() -> [Fault] {
    let counts: [(Fault, Int)] = [
      (.serviceKilled, plan.serviceKills), (.brokerKilled, plan.brokerKills),
      (.serviceStopped, (plan.serviceKills + 9) / 10), (.serviceFrozen, (plan.serviceKills + 19) / 20),
      (.connectionsClosed, (plan.serviceKills + 19) / 20),
    ]
    return counts.flatMap { Array(repeating: $0, count: $1) }.shuffled(using: &random)
  }

  private func cause(_ fault: Fault) async throws {
    switch fault {
    case .serviceKilled:
      try await service.kill()
      if random.oneIn(4) {
        // Once more, while it starts.
        try service.launch()
        try await pause(0...250)
        try await service.kill()
      }
      try await service.start()
    case .serviceStopped:
      let code = try await service.stop()
      guard code == 0 else { throw Unexpected("a clean stop ended with code \(code)") }
      try await service.start()
    case .serviceFrozen:
      service.program?.send(signal: SIGSTOP)
      try await pause(200...3000)
      service.program?.send(signal: SIGCONT)
    case .brokerKilled:
      try await broker.command("kill")
      try await pause(0...2000)
      try await broker.command("start")
      let back = Date.now.timeIntervalSince1970 * 1000
      try await until("an event after the broker's return", within: 60) { Double(client.lastSent) > back }
      returns.append(client.lastSent - Int64(back))
      try await service.logs(#"":"ready""#)
    case .connectionsClosed:
      try await service.reconnects { try await broker.ctl("close_all_connections", "soak") }
    }
  }

  /// Stops all schedules without an end, and waits until the others have ended and every command is answered.
  private func finish(_ traffic: SoakTraffic) async throws {
    var traffic = traffic
    for command in traffic.stopAll() { client.publish(command, isRepeat: false) }
    try await until("the confirms of all commands", within: 60) { client.isConfirmed }
    // A missing event is a violation only if it is still missing at the end.
    try? await until("the end of all schedules", within: 120) {
      BusHistoryChecker.check(client.history).violations.isEmpty
    }
    try await Task.sleep(for: .seconds(4))  // longer than any interval: an event now would be too late
  }

  private func pause(_ milliseconds: ClosedRange<Int>) async throws {
    try await Task.sleep(for: .milliseconds(Int.random(in: milliseconds, using: &random)))
  }
}

extension SoakRun.Plan {
  private static let variables = ProcessInfo.processInfo.environment

  static var isAskedFor: Bool { TestEnvironment.hasService && variables["POCKETWATCH_SOAK_SEED"] != nil }

  /// The options of `ops/soak`.
  static func asked() throws -> SoakRun.Plan {
    SoakRun.Plan(
      seed: UInt64(try number("SEED")), serviceKills: try number("SERVICE_KILLS"),
      brokerKills: try number("BROKER_KILLS"), bursts: try number("BURSTS"), seconds: Double(try number("SECONDS")),
      historyPath: variables["POCKETWATCH_SOAK_HISTORY"])
  }

  private static func number(_ name: String) throws -> Int {
    guard let number = variables["POCKETWATCH_SOAK_\(name)"].flatMap({ Int($0) }) else {
      throw Unexpected("POCKETWATCH_SOAK_\(name) is not a number")
    }
    return number
  }
}
