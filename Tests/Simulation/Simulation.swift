import Recurrence
import Scheduling
import SchedulingTestKit

/// One run of the real engine in a world derived from a seed: clients, a broker, a store and two clocks, all of which
/// fail. The same seed gives the same run, step by step.
package struct Simulation {
  var random: SeededGenerator
  package private(set) var history = SimulationHistory()
  package private(set) var reached: [RareState: Int] = [:]

  var engine: Engine
  let settings: Engine.Settings
  /// Sometimes of an earlier version, so that all slots are reviewed at the start.
  let store: MemoryStore
  let archive = CommandArchive()
  var broker: SimulatedBroker
  var clients = SimulatedClients()
  var areClientsSilent = false
  var now = Now.second(0)
  var heldRequest: Engine.StoreRequest?
  var isStoreFailing = false
  var mayConsume = true
  var isDrained = false
  /// Whether the engine has asked for the connection for targets.
  var needsTargets = false
  var targetList = TargetList()
  /// The number of processes so far.
  var processes = 0

  /// Small limits, so that they are reached. Answers are remembered for longer than a run, so that every duplicate is
  /// recognised, or so briefly that unacknowledged commands outlast it.
  static func smallSettings(forgetful isForgetful: Bool) -> Engine.Settings {
    var settings = Engine.Settings()
    settings.publishWindow = 3
    settings.gatheredTicks = 2
    settings.commandBatch = 4
    settings.duePage = 2
    settings.batchStep = 2
    settings.batchPage = 2
    settings.maximumMemberOutcomes = 2
    settings.dueCapacity = 6
    settings.repeatWindowMilliseconds = isForgetful ? 600_000 : 100 * 86_400_000
    settings.maximumOwedEvents = 2
    settings.prefetch = 12
    settings.maximumCommandBytes = 500
    settings.maximumGatheredBytes = 30
    settings.clockPatienceMilliseconds = 60_000
    return settings
  }

  init(seed: UInt64) throws {
    random = SeededGenerator(seed: seed)
    settings = Self.smallSettings(forgetful: random.oneIn(3))
    store = MemoryStore(rulesVersion: seed.isMultiple(of: 4) ? 1 : CronExpression.rulesVersion)
    broker = SimulatedBroker(
      prefetch: settings.prefetch, version: .allCases.randomElement(using: &random) ?? .v3_10)
    engine = try Self.engine(settings, on: store, archive, targetList)
  }

  private static func engine(
    _ settings: Engine.Settings, on store: MemoryStore, _ archive: CommandArchive, _ list: TargetList
  ) throws -> Engine {
    Engine(
      settings: settings, persistentState: try store.load(), zones: { _ in .utc },
      refusalOfTarget: { list.allows($0, $1) ? nil : "not on the list" }, decode: archive.decode)
  }

  /// Random steps that add up to about a week.
  package static let usualSteps = 2500

  /// A whole run of this many random steps. Sometimes, and at the end, there may be a crash; then all faults are
  /// repaired and the remaining work is done.
  package static func run(seed: UInt64, steps: Int) throws -> Simulation {
    var simulation = try Simulation(seed: seed)
    try simulation.begin()
    for step in 1...max(steps, 1) {
      try simulation.step()
      guard step.isMultiple(of: 500) || step == steps else { continue }
      if simulation.random.oneIn(2) { try simulation.crash() }
      try simulation.heal()
    }
    return simulation
  }

  /// A process starts from the stored state.
  mutating func begin() throws {
    engine = try Self.engine(settings, on: store, archive, targetList)
    processes += 1
    needsTargets = false
    note(.began(repeatWindowMilliseconds: settings.repeatWindowMilliseconds, targetList))
  }

  mutating func step() throws {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<10: submit()
    case 10..<26: try deliver()
    case 26..<45: letBrokerRead(.bus)
    case 45..<63: letBrokerAnswer(.bus)
    case 63..<80: advanceClock()
    case 80..<84: try answerStore()
    case 84..<88: toggleConnection(.bus)
    case 88..<93: try toggleChannel()
    case 93..<95: toggleBlocking(.bus)
    case 95..<97: toggleStoreFault()
    case 97: receive(.zonesRefreshed(changed: random.oneIn(2)))
    case 98:
      changeTargetList()
      try stopCleanly()
    default:
      changeTargetList()
      if random.oneIn(2) { try crash() } else { try crashInBursts() }
    }
    if random.oneIn(3) { touchTargets() }
    try run()
  }

  mutating func reach(_ state: RareState) { reached[state, default: 0] += 1 }
  mutating func note(_ event: SimulationHistory.Event) { history.note(event, at: now) }
}

extension Simulation {
  mutating func receive(_ event: Engine.Event) {
    engine.receive(event, at: now)
  }

  /// Performs the engine's actions; the store replies at once or in a later step.
  mutating func run(holdsStore: Bool? = nil) throws {
    var isBusy = true
    let process = processes
    while isBusy {
      guard process == processes else { return }  // it met poison, and the next has not begun
      isBusy = false
      let actions = engine.decide(at: now)
      noteGivenUpOutcomes(actions)
      for action in actions {
        guard process == processes else { return }
        perform(action)
        if case .store = action, !(holdsStore ?? random.oneIn(4)) {
          try answerStore()
          isBusy = true
        }
        if case .pauseCommands = action { isBusy = true }  // the end of the channel is an event
      }
    }
    let wake = engine.nextWake(at: now)
    if let wall = wake.wall, wall <= now.wall { note(.misbehaved("busy loop: to be woken at \(wall)")) }
    if let uptime = wake.uptime, uptime <= now.uptime {
      note(.misbehaved("busy loop: to be woken at uptime \(uptime)"))
    }
  }

  mutating func perform(_ action: Engine.Action) {
    switch action {
    case .store(let request):
      if heldRequest != nil { note(.misbehaved("two requests to the store at once")) }
      heldRequest = request
    case .connectTargets: needsTargets = true
    case .publish(let publications, let epoch, let outlet):
      guard epoch == broker[outlet].connection else { return note(.misbehaved("published on a lost connection")) }
      for publication in publications { send(publication, on: outlet) }
      broker[outlet].take(publications)
    case .reply: break  // nothing depends on a reply
    case .settle(let settled, let channel):
      guard channel == broker.channel else { return note(.misbehaved("settled on a lost channel")) }
      let messages = settled.frames.flatMap { settle($0) }
      for message in messages { noteOvertaken(by: message) }
    case .pauseCommands:
      mayConsume = false
      closeChannel()
    case .resumeCommands: mayConsume = true
    case .report(let reports):
      for case .tickExpired(let id, let slot, _) in reports { note(.gaveUp(id, slot: slot)) }
      for case .clockSetBack in reports { note(.clockSetBack) }
      for case .targetRefused in reports { reach(.targetWithdrawn) }
    case .fail(let error): note(.misbehaved("failed: \(error)"))
    case .drained: isDrained = true
    }
  }

  private mutating func send(_ publication: Publication, on outlet: Outlet) {
    let isForTarget = if case .tick(let tick)? = publication.event { tick.definition.target != nil } else { false }
    if isForTarget != (outlet == .targets) { note(.misbehaved("P33: \(publication.number) leaves for \(outlet)")) }
    note(.sent(publication))
  }

  mutating func settle(_ frame: Acknowledgements.Frame) -> [SimulatedMessage] {
    guard let messages = broker.settle(frame) else {
      note(.misbehaved("406 for \(frame)"))
      return []
    }
    var settlement = Acknowledgements.Settlement.acknowledge
    if case .reject = frame { settlement = .deadLetter }
    for message in messages { note(.settled(label: message.label, settlement)) }
    return messages
  }

  /// P2: commands on one schedule are settled in order. Otherwise an earlier one would be redelivered and applied again
  /// without the later one that undid it. Commands in the inbox are applied in its order.
  mutating func noteOvertaken(by message: SimulatedMessage) {
    guard !broker.wasReturned(message) else { return }
    let earlier = broker.unsettled.first { $0.message.label < message.label && message.undoes($0.message) }
    if let earlier {
      note(.misbehaved("P2: message \(message.label) is settled before message \(earlier.message.label)"))
    }
  }

  mutating func answerStore() throws {
    guard let request = heldRequest else { return }
    heldRequest = nil
    let answer = store.answer(request)
    if case .failed = answer {
      reach(.storeFailed)
      isStoreFailing = true
      note(.storeFailed)
    } else if isStoreFailing {
      isStoreFailing = false
      note(.storeRecovered)
    }
    switch (request, answer) {
    case (.apply(let changes), .applied): note(.committed(changes))
    case (.lookUp(_, _, let tried, let passedOver), .lookedUp): note(.tried(tried, passedOver: passedOver))
    case (.inbox, .inbox(let page)):
      note(.tried(page.rows.filter { $0.answer == nil }.map(\.position), passedOver: []))
    default: break
    }
    receive(.store(answer))
    if archive.takePoison() { try diePoisoned() }
  }
}
