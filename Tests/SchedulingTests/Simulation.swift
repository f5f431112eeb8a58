import Recurrence
import Scheduling
import SchedulingTestKit

/// One run of the real engine in a world made of nothing but a seed: clients, a broker, a store and two clocks, all of which
/// fail. The same seed is the same run, step by step.
struct Simulation {
  var random: SeededGenerator
  private(set) var history = SimulationHistory()
  private(set) var reached: [RareState: Int] = [:]

  private var engine: Engine
  private let settings: Engine.Settings
  private let store = MemoryStore()
  private var broker = SimulatedBroker()
  private var clients = SimulatedClients()
  private(set) var now = Now.second(0)
  private var heldRequest: Engine.StoreRequest?
  private var mayConsume = true
  private var isDrained = false

  /// Small bounds, so that they are met; memory for longer than a run, so that a repeat is always known.
  static var smallSettings: Engine.Settings {
    var settings = Engine.Settings()
    settings.publishWindow = 3
    settings.commandBatch = 4
    settings.duePage = 2
    settings.dueCapacity = 6
    settings.repeatWindowMilliseconds = 100 * 86_400_000
    return settings
  }

  init(seed: UInt64) throws {
    random = SeededGenerator(seed: seed)
    settings = Self.smallSettings
    engine = Engine(settings: settings, recollection: try store.recall(), zones: { _ in .utc })
  }

  /// A whole run: so many random steps, then all faults are healed and what is left is done.
  static func run(seed: UInt64, steps: Int) throws -> Simulation {
    var simulation = try Simulation(seed: seed)
    for _ in 0..<steps { try simulation.step() }
    simulation.heal()
    return simulation
  }

  private mutating func step() throws {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<18: submit()
    case 18..<32: deliver()
    case 32..<50: letBrokerRead()
    case 50..<66: letBrokerAnswer()
    case 66..<82: advanceClock()
    case 82..<86: answerStore()
    case 86..<90: toggleConnection()
    case 90..<93: toggleChannel()
    case 93..<95: toggleBlocking()
    case 95..<97: toggleStoreFault()
    case 97: receive(.zonesRefreshed(changed: random.oneIn(2)))
    case 98: try stopCleanly()
    default: try crash()
    }
    run()
  }

  private mutating func reach(_ state: RareState) { reached[state, default: 0] += 1 }
  private mutating func note(_ event: SimulationHistory.Event) { history.note(event, at: now) }
}

// MARK: - The engine

extension Simulation {
  private mutating func receive(_ event: Engine.Event) {
    engine.receive(event, at: now)
  }

  /// Does what the engine asks for; the store answers at once or is made to wait for another step.
  private mutating func run(holdsStore: Bool? = nil) {
    var isBusy = true
    while isBusy {
      isBusy = false
      for action in engine.decide(at: now) {
        perform(action)
        if case .store = action, !(holdsStore ?? random.oneIn(4)) {
          answerStore()
          isBusy = true
        }
      }
    }
    let wake = engine.nextWake(at: now)
    if let wall = wake.wall, wall <= now.wall { note(.misbehaved("busy loop: to be woken at \(wall)")) }
    if let uptime = wake.uptime, uptime <= now.uptime {
      note(.misbehaved("busy loop: to be woken at uptime \(uptime)"))
    }
  }

  private mutating func perform(_ action: Engine.Action) {
    switch action {
    case .store(let request):
      if heldRequest != nil { note(.misbehaved("two requests to the store at once")) }
      heldRequest = request
    case .publish(let publications, let epoch):
      guard epoch == broker.connection else { return note(.misbehaved("published on a connection that is gone")) }
      for publication in publications { note(.sent(publication)) }
      broker.take(publications)
    case .settle(let frames, let channel):
      guard channel == broker.channel else { return note(.misbehaved("settled on a channel that is gone")) }
      for frame in frames { settle(frame) }
    case .pauseCommands:
      mayConsume = false
      closeChannel()
    case .resumeCommands: mayConsume = true
    case .report(let reports):
      for case .tickGivenUp(let id, let slot) in reports { note(.gaveUp(id, slot: slot)) }
    case .fail(let error): note(.misbehaved("failed: \(error)"))
    case .drained: isDrained = true
    }
  }

  private mutating func settle(_ frame: Acknowledgements.Frame) {
    guard let messages = broker.settle(frame) else { return note(.misbehaved("406 for \(frame)")) }
    var settlement = Acknowledgements.Settlement.acknowledge
    if case .reject = frame { settlement = .deadLetter }
    for message in messages { note(.settled(label: message.label, settlement)) }
  }

  private mutating func answerStore() {
    guard let request = heldRequest else { return }
    heldRequest = nil
    let answer = store.answer(request)
    if case .failed = answer { reach(.storeFailed) }
    if case (.apply(let changes), .applied) = (request, answer) { note(.committed(changes)) }
    receive(.store(answer))
  }
}

// MARK: - The world

extension Simulation {
  private mutating func submit() {
    let message = clients.next(at: now.wall, using: &random)
    broker.submit(message)
    note(.submitted(message))
  }

  private mutating func deliver() {
    guard let channel = broker.channel else { return }
    receive(.deliveries(broker.deliver(.random(in: 1...6, using: &random)), channel: channel))
  }

  /// The broker reads some publications: most are routed, some refused, and of these some are routed all the same.
  private mutating func letBrokerRead() {
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let isRefused = random.oneIn(12)
      guard let publication = broker.read(isRefused ? .nack : .ack) else { return }
      guard !isRefused || random.oneIn(2) else { continue }
      if isRefused { reach(.refusedYetArrived) }
      note(.arrived(publication))
    }
  }

  private mutating func letBrokerAnswer() {
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      guard let index = broker.unanswered.indices.randomElement(using: &random) else { return }
      if index > 0 { reach(.confirmedOutOfOrder) }
      answer(at: index)
    }
  }

  private mutating func answer(at index: Int) {
    let (publication, verdict) = broker.answer(at: index)
    switch verdict {
    case .ack:
      note(.confirmed(publication))
      receive(.acked([publication.number]))
    case .nack:
      reach(.refused)
      note(.refused(publication))
      receive(.nacked([publication.number], cause: "queue full"))
    }
  }

  private mutating func advanceClock() {
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<13: elapse(.random(in: 1...3_000, using: &random))
    case 13..<17: elapse(.random(in: 1_000...70_000, using: &random))
    case 17: elapse(.random(in: 60_000...7_200_000, using: &random))
    case 18:
      reach(.clockSteppedForward)
      now.wall = now.wall.advanced(byMilliseconds: .random(in: 1...200_000, using: &random))
    default:
      reach(.clockSteppedBack)
      now.wall = now.wall.advanced(byMilliseconds: -.random(in: 1...20_000, using: &random))
    }
  }

  private mutating func elapse(_ milliseconds: Int64) {
    now.wall = now.wall.advanced(byMilliseconds: milliseconds)
    now.uptime += milliseconds
  }

  private mutating func toggleConnection() {
    if broker.connection == nil {
      receive(.publisherUp(epoch: broker.connect()))
    } else if random.oneIn(3) {
      disconnect()
    }
  }

  private mutating func disconnect() {
    guard broker.connection != nil else { return }
    let hasTick = broker.unread.contains { $0.event.isTick }
    if broker.unanswered.contains(where: { $0.publication.event.isTick }) { reach(.connectionLostAfterArrival) }
    if hasTick { reach(.connectionLostWithTickInFlight) }
    let unread = broker.disconnect()
    // What the broker still reads of a connection that is gone: a first part of it.
    for publication in unread.prefix(.random(in: 0...unread.count, using: &random)) { note(.arrived(publication)) }
    note(.connectionLost)
    receive(.publisherDown)
  }

  private mutating func toggleBlocking() {
    guard broker.connection != nil, broker.isBlocking || random.oneIn(2) else { return }
    broker.isBlocking.toggle()
    if broker.isBlocking { reach(.blocked) }
    receive(broker.isBlocking ? .blocked : .unblocked)
  }

  private mutating func toggleChannel() {
    if broker.channel == nil || random.oneIn(2) {
      closeChannel()
      openChannel()
      deliver()
    } else if random.oneIn(2) {
      closeChannel()
    }
  }

  private mutating func openChannel() {
    guard mayConsume, broker.channel == nil else { return }
    receive(.commandsOpened(channel: broker.openChannel()))
  }

  private mutating func closeChannel() {
    guard broker.channel != nil else { return }
    if !broker.unsettled.isEmpty { reach(.channelLostWithUnsettled) }
    if case .look = heldRequest { reach(.channelLostDuringLook) }
    broker.closeChannel()
    receive(.commandsClosed)
  }

  private mutating func toggleStoreFault() {
    store.fault = store.fault == nil && random.oneIn(2) ? StoreError(.full, "no space left") : nil
  }

  // MARK: The end of a process

  /// Dies in the middle of anything; a transaction under way is durable or not.
  private mutating func crash() throws {
    if case .apply(let changes) = heldRequest, store.fault == nil {
      if random.oneIn(2) {
        reach(.crashInsideCommit)
      } else {
        reach(.crashAfterCommit)
        try store.apply(changes)
        note(.committed(changes))
      }
    }
    if (broker.unread + broker.unanswered.map(\.publication)).contains(where: { $0.event.isTick }) {
      reach(.crashWithTickInFlight)
    }
    try restart(isClean: false)
  }

  private mutating func stopCleanly() throws {
    receive(.drain)
    for _ in 0..<20 where !isDrained {
      answerStore()
      run()
      letBrokerRead()
      letBrokerAnswer()
    }
    if isDrained { reach(.cleanStop) }
    try restart(isClean: isDrained)
  }

  private mutating func restart(isClean: Bool) throws {
    let unread = broker.disconnect()
    for publication in unread.prefix(.random(in: 0...unread.count, using: &random)) { note(.arrived(publication)) }
    broker.closeChannel()
    note(.ended(isClean: isClean))
    heldRequest = nil
    mayConsume = true
    isDrained = false
    store.fault = nil
    now.uptime = .random(in: 0...10_000_000, using: &random)
    engine = Engine(settings: settings, recollection: try store.recall(), zones: { _ in .utc })
  }

  // MARK: The end of a run

  /// Heals everything and lets time pass until all that was asked for is done; past the longest pause, more than once.
  private mutating func heal() {
    store.fault = nil
    if broker.isBlocking { toggleBlocking() }
    for _ in 0..<4 {
      elapse(61_000)
      if broker.connection == nil { toggleConnection() }
      quieten()
    }
    note(.finished)
  }

  private mutating func quieten() {
    for _ in 0..<10_000 {
      answerStore()
      run(holdsStore: false)
      openChannel()
      if let channel = broker.channel, !broker.ready.isEmpty {
        receive(.deliveries(broker.deliver(6), channel: channel))
      } else if let publication = broker.read(.ack) {
        note(.arrived(publication))
        while !broker.unanswered.isEmpty { answer(at: 0) }
      } else if broker.isWireEmpty, heldRequest == nil, broker.channel != nil || !mayConsume {
        return
      } else {
        while !broker.unanswered.isEmpty { answer(at: 0) }
      }
    }
    note(.misbehaved("never quiet"))
  }
}
