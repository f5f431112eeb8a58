import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// An engine with a store in memory and a broker that records publications and replies when the test says so.
///
/// After each event all actions are performed, so that a test reads as a story. When nothing is left to do, the engine
/// must not ask to be called at once: that would be a busy loop.
struct EngineDriver {
  var engine: Engine
  let store: MemoryStore
  private let archive: CommandArchive
  private(set) var now: Now
  private var epoch: UInt64 = 0
  private(set) var channel: UInt64 = 0
  private var lastTag: UInt64 = 0

  /// While true the store does not answer: the request waits in `heldRequest` for `answerStore`.
  var holdsStore = false
  private(set) var heldRequest: Engine.StoreRequest?
  /// While true, commands are redelivered, and the queue is empty after each delivery.
  var redelivers = false

  private(set) var published: [Publication] = []
  /// Unresolved publications, oldest first.
  private(set) var inFlight: [Publication] = []
  /// As above, of the connection for targets.
  private(set) var publishedToTargets: [Publication] = []
  private(set) var inFlightToTargets: [Publication] = []
  private var targetsEpoch: UInt64 = 0
  /// Whether the engine has asked for that connection.
  private(set) var needsTargets = false
  private(set) var replies: [Reply] = []
  private(set) var frames: [Acknowledgements.Frame] = []
  private(set) var applied: [[Change]] = []
  private(set) var sweeps: [Retention] = []
  private(set) var reports: [Engine.Report] = []
  private(set) var pauses = 0
  private(set) var resumptions = 0
  private(set) var isDrained = false
  private(set) var failure: StoreError?
  private var isInBusyLoop = false

  /// A service that has just been started, on a new store or on one that an earlier driver left.
  init(
    store: MemoryStore = MemoryStore(), at now: Now = .second(0), settings: Engine.Settings = Engine.Settings(),
    zones: @escaping @Sendable (String) -> ZoneRules? = { _ in .utc },
    refusalOfTarget: @escaping @Sendable (Target, String?) -> String? = { _, _ in nil },
    archive: CommandArchive = CommandArchive()
  ) throws {
    self.store = store
    self.now = now
    self.archive = archive
    engine = Engine(
      settings: settings, persistentState: try store.load(), zones: zones, refusalOfTarget: refusalOfTarget,
      decode: archive.decode)
    run()
  }

  /// A service that publishes and consumes.
  static func connected(
    store: MemoryStore = MemoryStore(), at now: Now = .second(0), settings: Engine.Settings = Engine.Settings(),
    zones: @escaping @Sendable (String) -> ZoneRules? = { _ in .utc },
    refusalOfTarget: @escaping @Sendable (Target, String?) -> String? = { _, _ in nil },
    archive: CommandArchive = CommandArchive()
  ) throws -> EngineDriver {
    var driver = try EngineDriver(
      store: store, at: now, settings: settings, zones: zones, refusalOfTarget: refusalOfTarget, archive: archive)
    driver.publisherUp()
    driver.consume()
    return driver
  }

  /// One in which a schedule was just started and its Started confirmed.
  static func starting(
    _ definition: Definition, store: MemoryStore = MemoryStore(), settings: Engine.Settings = Engine.Settings()
  ) throws -> EngineDriver {
    var driver = try connected(store: store, settings: settings)
    driver.start(definition)
    driver.ack()
    return driver
  }

  /// One with a schedule "a" that was paused before its first tick, at second 1; by default it ticks every minute.
  static func paused(
    _ definition: Definition? = nil, _ end: Command.Pause.End? = nil, store: MemoryStore = MemoryStore()
  ) throws -> EngineDriver {
    let everyMinute = Definition(id: "a", timing: try Timing(cron: "* * * * *"))
    var driver = try starting(definition ?? everyMinute, store: store)
    driver.advance(seconds: 1)
    driver.pause("a", end)
    driver.ack()
    return driver
  }

  // MARK: What happens

  mutating func receive(_ event: Engine.Event) {
    engine.receive(event, at: now)
    run()
  }

  mutating func publisherUp() {
    epoch += 1
    receive(.publisherUp(epoch: epoch))
  }

  mutating func publisherDown() {
    inFlight = []
    receive(.publisherDown())
  }

  mutating func targetsUp() {
    targetsEpoch += 1
    receive(.publisherUp(epoch: targetsEpoch, on: .targets))
  }

  mutating func targetsDown() {
    inFlightToTargets = []
    receive(.publisherDown(on: .targets))
  }

  /// The broker confirms what is in flight to targets.
  mutating func ackTargets() {
    let numbers = inFlightToTargets.map(\.number)
    inFlightToTargets = []
    if !numbers.isEmpty { receive(.acked(numbers, on: .targets)) }
  }

  /// The broker refuses what is in flight to these exchanges, and confirms the rest.
  mutating func resolveTargets(refusing exchanges: Set<String>) {
    let isRefused = { (publication: Publication) in
      guard case .tick(let tick)? = publication.event else { return false }
      return exchanges.contains(tick.definition.target?.exchange ?? "")
    }
    let refused = inFlightToTargets.filter(isRefused).map(\.number)
    inFlightToTargets.removeAll(where: isRefused)
    if !refused.isEmpty { receive(.nacked(refused, cause: "no such exchange", on: .targets)) }
    ackTargets()
  }

  mutating func consume() {
    channel += 1
    lastTag = 0
    receive(.commandsOpened(channel: channel))
  }

  /// Delivers commands on the current channel; a `message_id` makes a key of it and the command.
  mutating func deliver(_ commands: [(Command, messageID: String?)]) {
    let deliveries = commands.map { command, messageID in
      received(.command(command, key: messageID.map { key(of: command, $0) }), origin: messageID)
    }
    deliver(received: deliveries)
  }

  /// Delivers commands again, each with the count of its deliveries before; with `isAll` the queue has no more of them.
  mutating func redeliver(_ commands: [((Command, messageID: String?), Int64)], isAll: Bool = true) {
    let contents = commands.map { command, count in
      let content = ReceivedCommand.Content.command(command.0, key: command.messageID.map { key(of: command.0, $0) })
      return (content, messageID: command.messageID, count)
    }
    redeliver(contents: contents, isAll: isAll)
  }

  mutating func redeliver(
    contents: [(ReceivedCommand.Content, messageID: String?, Int64)], isAll: Bool = true
  ) {
    let deliveries = contents.map { content, messageID, count in
      let origin = Origin(messageID: messageID.map { Array($0.utf8) })
      lastTag += 1
      return ReceivedCommand(
        source: .delivery(tag: lastTag), size: 100, origin: origin,
        content: .redelivered(archive.raw(content, origin: origin), deliveries: count))
    }
    receive(.deliveries(deliveries, channel: channel))
    if isAll { receive(.commandsExhausted(channel: channel)) }
  }

  private mutating func deliver(received deliveries: [ReceivedCommand]) {
    receive(.deliveries(deliveries, channel: channel))
    if redelivers { receive(.commandsExhausted(channel: channel)) }
  }

  mutating func deliver(_ command: Command, messageID: String? = nil) {
    deliver([(command, messageID: messageID)])
  }

  mutating func deliver(_ content: ReceivedCommand.Content, replyTo: ReplyAddress? = nil) {
    deliver(received: [received(content, origin: nil, replyTo: replyTo)])
  }

  /// Delivers all of these at once.
  mutating func deliver(contents: [ReceivedCommand.Content]) {
    deliver(received: contents.map { received($0, origin: nil) })
  }

  mutating func start(_ definition: Definition, messageID: String? = nil) {
    deliver(.start(Command.Start(definition: definition)), messageID: messageID)
  }

  /// Delivers a command of this login.
  mutating func deliver(_ command: Command, as userID: String?, messageID: String = "m") {
    lastTag += 1
    let origin = Origin(messageID: Array(messageID.utf8), userID: userID)
    deliver(received: [
      ReceivedCommand(
        source: .delivery(tag: lastTag), size: 100, origin: origin,
        content: .command(command, key: key(of: command, messageID)))
    ])
  }

  mutating func pause(_ id: ScheduleID, _ end: Command.Pause.End? = nil, messageID: String? = nil) {
    deliver(.pause(Command.Pause(id: id, end: end)), messageID: messageID)
  }

  mutating func resume(_ id: ScheduleID, _ policy: MisfirePolicy? = nil, messageID: String? = nil) {
    deliver(.resume(Command.Resume(id: id, misfirePolicy: policy)), messageID: messageID)
  }

  mutating func trigger(_ id: ScheduleID, payload: [UInt8]? = nil, messageID: String) {
    deliver(.trigger(Command.Trigger(id: id, payload: payload)), messageID: messageID)
  }

  mutating func update(
    _ id: ScheduleID, _ values: [DefinitionChange.Value], removing removed: [DefinitionChange.Removable] = [],
    ifRevision: Int64? = nil, messageID: String? = nil
  ) {
    let change = DefinitionChange(values: values, removed: removed)
    deliver(.update(Command.Update(id: id, change: change, ifRevision: ifRevision)), messageID: messageID)
  }

  mutating func stop(_ id: ScheduleID, reason: String = "stopped", messageID: String? = nil) {
    deliver(.stop(Command.Stop(id: id, reason: reason)), messageID: messageID)
  }

  mutating func batch(
    _ action: BatchCommand.Action, _ selector: BatchCommand.Selector, maximum: Int = 1000, messageID: String = "batch",
    replyTo: ReplyAddress? = nil
  ) {
    deliver(received: [
      received(batch(action, selector, maximum: maximum, messageID), origin: messageID, replyTo: replyTo)
    ])
  }

  func batch(
    _ action: BatchCommand.Action, _ selector: BatchCommand.Selector, maximum: Int = 1000, _ messageID: String
  ) -> ReceivedCommand.Content {
    let command = BatchCommand(selector: selector, action: action, maximum: maximum)
    return .batch(
      command,
      key: CommandKey(messageID: Array(messageID.utf8), body: Array("\(command)".utf8), secret: SipHash.Key(1, 2)))
  }

  private mutating func received(
    _ content: ReceivedCommand.Content, origin: String?, replyTo: ReplyAddress? = nil
  ) -> ReceivedCommand {
    lastTag += 1
    let origin = Origin(messageID: origin.map { Array($0.utf8) })
    return ReceivedCommand(
      source: .delivery(tag: lastTag), size: 100, origin: origin, replyTo: replyTo,
      content: redelivers
        ? .redelivered(archive.raw(content, origin: origin, replyTo: replyTo), deliveries: 1) : content)
  }

  private func key(of command: Command, _ messageID: String) -> CommandKey {
    CommandKey(messageID: Array(messageID.utf8), body: Array("\(command)".utf8), secret: SipHash.Key(1, 2))
  }

  /// The broker confirms what is in flight, or the part of it that fits.
  mutating func ack(where isMeant: (OutgoingEvent) -> Bool = { _ in true }) {
    let numbers = land(where: isMeant)
    if !numbers.isEmpty { receive(.acked(numbers)) }
  }

  mutating func nack(where isMeant: (OutgoingEvent) -> Bool = { _ in true }) {
    let numbers = land(where: isMeant)
    if !numbers.isEmpty { receive(.nacked(numbers, cause: "queue full")) }
  }

  private mutating func land(where isMeant: (OutgoingEvent) -> Bool) -> [UInt64] {
    let numbers = inFlight.filter { $0.event.map(isMeant) ?? true }.map(\.number)
    inFlight.removeAll { numbers.contains($0.number) }
    return numbers
  }

  /// Lets time pass, in the steps in which the engine asks to be woken.
  mutating func advance(milliseconds: Int64) {
    let end = now.uptime + milliseconds
    while now.uptime < end {
      let wake = engine.nextWake(at: now)
      let wall = wake.wall.map { $0.milliseconds - now.wall.milliseconds }
      let uptime = wake.uptime.map { $0 - now.uptime }
      step(milliseconds: min(max(1, min(wall ?? .max, uptime ?? .max)), end - now.uptime))
    }
  }

  mutating func advance(seconds: Int64) { advance(milliseconds: seconds * 1000) }

  /// Lets time pass at once, as when the machine was asleep.
  mutating func step(milliseconds: Int64) {
    now.uptime += milliseconds
    now.wall = now.wall.advanced(byMilliseconds: milliseconds)
    run()
  }

  /// Sets the wall clock.
  mutating func stepWall(seconds: Int64) {
    now.wall = now.wall.advanced(byMilliseconds: seconds * 1000)
    run()
  }

  /// Lets time pass to this second after noon, and confirms what is published meanwhile.
  mutating func confirm(through second: Int64) {
    while now.wall < .second(second) {
      advance(seconds: 1)
      ack()
    }
  }

  // MARK: What the engine does

  /// Performs actions until there are none.
  mutating func run() {
    var isBusy = true
    while isBusy {
      isBusy = false
      for action in engine.decide(at: now) {
        if perform(action) { isBusy = true }
      }
    }
    guard failure == nil, !isInBusyLoop else { return }
    let wake = engine.nextWake(at: now)
    isInBusyLoop = wake.wall.map { $0 <= now.wall } ?? false || wake.uptime.map { $0 <= now.uptime } ?? false
    #expect(!isInBusyLoop, "busy loop: nothing to do at \(now), but a wake-up at \(wake)")
  }

  /// Performs an action. Returns whether the store replied, so that the engine has to decide again.
  private mutating func perform(_ action: Engine.Action) -> Bool {
    switch action {
    case .store(let request):
      #expect(heldRequest == nil, "a request before the last was answered")
      heldRequest = request
      guard !holdsStore else { return false }
      answer()
      return true
    case .publish(let publications, let epoch, .bus):
      #expect(epoch == self.epoch)
      published += publications
      inFlight += publications
    case .publish(let publications, let epoch, .targets):
      #expect(epoch == targetsEpoch)
      publishedToTargets += publications
      inFlightToTargets += publications
    case .connectTargets:
      #expect(!needsTargets, "asked for twice")
      needsTargets = true
    case .reply(let replies): self.replies += replies
    case .settle(let settled, let channel):
      if channel == self.channel { frames += settled.frames }
    case .pauseCommands: pauses += 1
    case .resumeCommands: resumptions += 1
    case .report(let reports): self.reports += reports
    case .fail(let error): failure = error
    case .drained: isDrained = true
    }
    return false
  }

  /// The store replies to the held request.
  mutating func answerStore() {
    answer()
    run()
  }

  private mutating func answer() {
    guard let request = heldRequest else { return }
    heldRequest = nil
    engine.receive(.store(store.answer(request)), at: now)
    guard store.fault == nil else { return }
    if case .apply(let changes) = request { applied.append(changes) }
    if case .sweep(let retention, _) = request { sweeps.append(retention) }
  }
}
