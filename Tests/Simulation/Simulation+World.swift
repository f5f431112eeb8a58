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
  mutating func letBrokerRead() {
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      if random.oneIn(150) { poison() }
      if broker.isNextPoisoned || random.oneIn(100) { return closeChannelAtNext() }
      let isRefused = random.oneIn(12)
      guard let publication = broker.read(isRefused ? .nack : .ack) else { return }
      guard !isRefused || random.oneIn(2) else { continue }
      if isRefused { reach(.refusedYetArrived) }
      note(.arrived(publication))
    }
  }

  mutating func letBrokerAnswer() {
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      guard let index = broker.unanswered.indices.randomElement(using: &random) else { return }
      if index > 0 { reach(.confirmedOutOfOrder) }
      answer(at: index)
    }
  }

  mutating func answer(at index: Int) {
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

  mutating func toggleConnection() {
    if broker.connection == nil {
      receive(.publisherUp(epoch: broker.connect()))
    } else if random.oneIn(3) {
      disconnect()
    }
  }

  mutating func disconnect() {
    guard broker.connection != nil else { return }
    let hasTick = broker.unread.contains { $0.isTick }
    if broker.unanswered.contains(where: { $0.publication.isTick }) { reach(.connectionLostAfterArrival) }
    if hasTick { reach(.connectionLostWithTickInFlight) }
    let unread = broker.disconnect()
    // The broker may still read the first part of what a lost connection had sent.
    for publication in unread.prefix(.random(in: 0...unread.count, using: &random)) { note(.arrived(publication)) }
    note(.connectionLost)
    receive(.publisherDown())
  }

  mutating func toggleBlocking() {
    guard broker.connection != nil, broker.isBlocking || random.oneIn(2) else { return }
    broker.isBlocking.toggle()
    if broker.isBlocking { reach(.blocked) }
    note(broker.isBlocking ? .blocked : .unblocked)
    receive(broker.isBlocking ? .blocked() : .unblocked())
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
    if (broker.unread + broker.unanswered.map(\.publication)).contains(where: { $0.isTick }) {
      reach(.crashWithTickInFlight)
    }
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
      letBrokerRead()
      letBrokerAnswer()
    }
    if isDrained { reach(.cleanStop) }
    try restart(isClean: isDrained)
  }

  mutating func restart(isClean: Bool) throws {
    let unread = broker.disconnect()
    for publication in unread.prefix(.random(in: 0...unread.count, using: &random)) { note(.arrived(publication)) }
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
    if broker.isBlocking { toggleBlocking() }
    if !broker.poisoned.isEmpty {
      if random.oneIn(2) { try finishBesidePoison() }
      cure()
    }
    try letTimePass(rounds: 4)
    note(.finished)
  }

  /// Does what can be done, minute by minute; a process that meets poison is restarted.
  mutating func letTimePass(rounds: Int) throws {
    var rounds = rounds
    while rounds > 0 {
      let process = processes
      elapse(61_000)
      if broker.connection == nil { toggleConnection() }
      try quieten()
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
      } else if broker.isNextPoisoned {
        closeChannelAtNext()
        toggleConnection()
      } else if let publication = broker.read(.ack) {
        note(.arrived(publication))
        while !broker.unanswered.isEmpty { answer(at: 0) }
      } else if broker.isWireEmpty, heldRequest == nil, broker.channel != nil || !mayConsume {
        return
      } else {
        while !broker.unanswered.isEmpty { answer(at: 0) }
      }
    }
    note(.misbehaved("never idle"))
  }
}
