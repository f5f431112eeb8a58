import Recurrence
import Scheduling
import SchedulingTestKit

/// The world around the engine: clients, the broker, the clocks, and the end of a process.
extension Simulation {
  /// Clients are silent at times, so that existing schedules run to their end.
  mutating func submit() {
    if random.oneIn(40) { areClientsSilent.toggle() }
    guard !areClientsSilent else { return }
    for _ in 0..<(random.oneIn(3) ? .random(in: 2...6, using: &random) : 1) {
      let message = clients.next(at: now.wall, using: &random)
      broker.submit(message)
      note(.submitted(message))
    }
  }

  mutating func deliver() throws {
    try deliver(.random(in: 1...6, using: &random))
    // The consumer detects this by checking the queue twice, so not always.
    if let channel = broker.channel, !broker.hasMore, random.oneIn(2) { receive(.commandsExhausted(channel: channel)) }
  }

  private mutating func deliver(_ limit: Int) throws {
    guard let channel = broker.channel else { return }
    let commands = broker.deliver(limit, archive)
    if archive.takePoison() { return try diePoisoned() }
    if !commands.isEmpty { receive(.deliveries(commands, channel: channel)) }
  }

  /// The broker reads some publications: most are routed, some nacked, and some of those are routed nevertheless.
  mutating func letBrokerRead(_ outlet: Outlet) {
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      if random.oneIn(150) { poison() }
      if broker.isNextPoisoned(outlet) || random.oneIn(100) { return closeChannelAtNext(outlet) }
      let isMissing = broker.isNextMissing(outlet)
      let isRefused = isMissing || random.oneIn(12)
      guard let publication = broker[outlet].read(isRefused ? .nack : .ack) else { return }
      if isMissing { reach(.targetRefused) }
      guard !isRefused || !isMissing && random.oneIn(2) else { continue }
      if isRefused { reach(.refusedYetArrived) }
      note(.arrived(publication))
    }
  }

  mutating func letBrokerAnswer(_ outlet: Outlet) {
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      guard let index = broker[outlet].unanswered.indices.randomElement(using: &random) else { return }
      if index > 0 { reach(.confirmedOutOfOrder) }
      answer(at: index, outlet)
    }
  }

  mutating func answer(at index: Int, _ outlet: Outlet) {
    let (publication, verdict) = broker[outlet].answer(at: index)
    switch verdict {
    case .ack:
      note(.confirmed(publication))
      receive(.acked([publication.number], on: outlet))
    case .nack:
      reach(.refused)
      note(.refused(publication))
      receive(.nacked([publication.number], cause: "queue full", on: outlet))
    }
  }

  mutating func advanceClock() {
    switch Int.random(in: 0..<200, using: &random) {
    case 0..<130: elapse(.random(in: 1...3_000, using: &random))
    case 130..<170: elapse(.random(in: 1_000...70_000, using: &random))
    case 170..<180: elapse(.random(in: 60_000...7_200_000, using: &random))
    case 180..<188:
      reach(.slept)
      elapse(.random(in: 3_600_000...72_000_000, using: &random))
    case 188..<194: stepClock(by: .random(in: 1...200_000, using: &random))
    case 194: stepClock(by: .random(in: 200_000...3 * Self.day, using: &random))
    case 195..<199: stepClock(by: -.random(in: 1...20_000, using: &random))
    default: stepClock(by: -.random(in: 20_000...3 * Self.day, using: &random))
    }
  }

  private static let day: Int64 = 86_400_000

  private mutating func stepClock(by milliseconds: Int64) {
    reach(milliseconds > 0 ? .clockSteppedForward : .clockSteppedBack)
    note(.clockStepped(milliseconds: milliseconds))
    now.wall = now.wall.advanced(byMilliseconds: milliseconds)
  }

  mutating func elapse(_ milliseconds: Int64) {
    now.wall = now.wall.advanced(byMilliseconds: milliseconds)
    now.uptime += milliseconds
  }

  mutating func toggleConnection(_ outlet: Outlet) {
    guard outlet == .bus || needsTargets else { return }
    if broker[outlet].connection == nil {
      receive(.publisherUp(epoch: broker[outlet].connect(), on: outlet))
    } else if random.oneIn(3) {
      disconnect(outlet)
    }
  }

  mutating func disconnect(_ outlet: Outlet) {
    guard broker[outlet].connection != nil else { return }
    let hasTick = broker[outlet].unread.contains { $0.isTick }
    if broker[outlet].unanswered.contains(where: { $0.publication.isTick }) { reach(.connectionLostAfterArrival) }
    if hasTick { reach(outlet == .bus ? .connectionLostWithTickInFlight : .targetLostInFlight) }
    let unread = broker[outlet].disconnect()
    // The broker may still read the first part of what a lost connection had sent.
    for publication in unread.prefix(.random(in: 0...unread.count, using: &random)) { note(.arrived(publication)) }
    note(.connectionLost(outlet))
    receive(.publisherDown(on: outlet))
  }

  mutating func toggleBlocking(_ outlet: Outlet) {
    guard broker[outlet].connection != nil, broker[outlet].isBlocking || random.oneIn(2) else { return }
    broker[outlet].isBlocking.toggle()
    let isBlocking = broker[outlet].isBlocking
    if isBlocking { reach(outlet == .bus ? .blocked : .targetsBlocked) }
    note(isBlocking ? .blocked(outlet) : .unblocked(outlet))
    receive(isBlocking ? .blocked(on: outlet) : .unblocked(on: outlet))
  }

  mutating func toggleChannel() throws {
    if broker.channel == nil || random.oneIn(2) {
      closeChannel()
      openChannel()
      try deliver()
    } else if random.oneIn(2) {
      closeChannel()
    }
  }

  mutating func openChannel() {
    guard mayConsume, broker.channel == nil else { return }
    while random.oneIn(3) { broker.interrupt(prefetch: .random(in: 1...4, using: &random)) }
    if broker.isOutOfOrder { reach(.redeliveredOutOfOrder) }
    receive(.commandsOpened(channel: broker.openChannel()))
  }

  mutating func closeChannel() {
    guard broker.channel != nil else { return }
    if !broker.unsettled.isEmpty { reach(.channelLostWithUnsettled) }
    if engine.isGathering { reach(.channelLostWhileGathering) }
    if case .lookUp = heldRequest { reach(.channelLostDuringLook) }
    broker.closeChannel()
    receive(.commandsClosed)
  }

  mutating func toggleStoreFault() {
    store.fault = store.fault == nil && random.oneIn(2) ? StoreError(.full, "no space left") : nil
  }

  // MARK: The end of a process

  /// Dies at any point; a transaction in progress is durable or not.
  mutating func crash() throws {
    if case .apply(let changes) = heldRequest, store.fault == nil {
      if random.oneIn(2) {
        reach(.crashInsideCommit)
      } else {
        reach(.crashAfterCommit)
        try store.apply(changes)
        note(.committed(changes))
      }
    }
    let onTheWire = Outlet.allCases.flatMap { broker[$0].unread + broker[$0].unanswered.map(\.publication) }
    if onTheWire.contains(where: { $0.isTick }) { reach(.crashWithTickInFlight) }
    if engine.hasInbox { reach(.crashWithInbox) }
    try restart(isClean: false)
  }

  /// Each process lives just long enough to receive some commands.
  mutating func crashInBursts() throws {
    for _ in 0..<Int.random(in: 2...4, using: &random) {
      openChannel()
      try deliver()
      try run()
      try crash()
    }
  }

  /// A command was decoded that ends the process.
  mutating func diePoisoned() throws {
    reach(.poisoned)
    try crash()
  }

  mutating func stopCleanly() throws {
    receive(.drain)
    for _ in 0..<20 where !isDrained {
      try answerStore()
      try run()
      for outlet in Outlet.allCases {
        letBrokerRead(outlet)
        letBrokerAnswer(outlet)
      }
    }
    if isDrained { reach(.cleanStop) }
    try restart(isClean: isDrained)
  }

  mutating func restart(isClean: Bool) throws {
    for outlet in Outlet.allCases {
      let unread = broker[outlet].disconnect()
      for publication in unread.prefix(.random(in: 0...unread.count, using: &random)) { note(.arrived(publication)) }
    }
    broker.closeChannel()
    note(.ended(isClean: isClean))
    heldRequest = nil
    mayConsume = true
    isDrained = false
    store.fault = nil
    isStoreFailing = false
    now.uptime = .random(in: 0...10_000_000, using: &random)
    try begin()
  }

  // MARK: A good end

  /// Repairs everything and lets time pass until everything that was asked for is done, repeatedly beyond the longest
  /// back-off.
  mutating func heal() throws {
    store.fault = nil
    for outlet in Outlet.allCases where broker[outlet].isBlocking { toggleBlocking(outlet) }
    if !broker.poisoned.isEmpty {
      if random.oneIn(2) {
        try restoreTargets()
        try finishBesidePoison()
      }
      cure()
    }
    if random.oneIn(3) { try finishWithoutTargets() }
    try restoreTargets()
    if random.oneIn(6) { try finishWithoutBus() }
    try letTimePass(rounds: 4)
    note(.finished)
  }

  /// Does what can be done, minute by minute; a process that meets poison is restarted.
  ///
  /// - Parameter outlets: The connections that come back.
  mutating func letTimePass(rounds: Int, on outlets: [Outlet] = Outlet.allCases) throws {
    var rounds = rounds
    while rounds > 0 {
      let process = processes
      elapse(61_000)
      for outlet in outlets where broker[outlet].connection == nil { toggleConnection(outlet) }
      try quieten()
      if outlets.contains(.targets), needsTargets, broker[.targets].connection == nil {
        toggleConnection(.targets)  // it was asked for only now
        try quieten()
      }
      if process == processes { rounds -= 1 }
    }
  }

  mutating func quieten() throws {
    for _ in 0..<100_000 {
      try answerStore()
      try run(holdsStore: false)
      openChannel()
      if broker.hasUnread {
        try deliver(6)
      } else if let channel = broker.channel, engine.isGathering, !broker.hasMore {
        receive(.commandsExhausted(channel: channel))
      } else if let outlet = Outlet.allCases.first(where: broker.isNextPoisoned) {
        closeChannelAtNext(outlet)
        toggleConnection(outlet)
      } else if readOne() {
        continue
      } else if broker.isWireEmpty, heldRequest == nil, broker.channel != nil || !mayConsume {
        return
      } else {
        answerAll()
      }
    }
    note(.misbehaved("never idle"))
  }

  /// The broker reads and confirms a publication. Returns whether there was one.
  private mutating func readOne() -> Bool {
    for outlet in broker.answering {
      let isMissing = broker.isNextMissing(outlet)
      guard let publication = broker[outlet].read(isMissing ? .nack : .ack) else { continue }
      if !isMissing { note(.arrived(publication)) }
      answerAll()
      return true
    }
    return false
  }

  private mutating func answerAll() {
    for outlet in broker.answering {
      while !broker[outlet].unanswered.isEmpty { answer(at: 0, outlet) }
    }
  }
}
