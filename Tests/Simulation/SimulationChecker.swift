import Recurrence
import Scheduling

/// Checks a run from its history alone: which of the promises P1 to P12, P15, P16 and P27 to P34 were broken.
package struct SimulationChecker {
  package private(set) var violations: [String] = []
  package private(set) var reached: [RareState: Int] = [:]

  var now = Now.second(0)
  /// The wall clock at each entry up to this one.
  var walls: [Instant] = []
  /// When commands may have been decided whose changes are not committed yet.
  var decisions: [Instant] = []
  var repeatWindow: Int64 = .max
  var messages: [Int: SimulatedMessage] = [:]
  /// Labels in the order in which they were submitted.
  var submitted: [Int] = []
  var settled: Set<Int> = []
  var inbox = SimulationInbox()
  /// The commands whose answers are remembered with the transaction that is looked at.
  var rememberedNow: Set<CommandKey> = []
  /// Messages of which a copy is in the dead queue.
  var deadLettered: Set<Int> = []
  /// The confirmed outcomes of each message: a redelivered message gets another one.
  var answers: [Int: [OutgoingEvent]] = [:]
  /// Commands that have a key.
  var keyed: [CommandKey: KeyedCommand] = [:]
  /// The commands on each id, by its bytes.
  var asked: [[UInt8]: Asked] = [:]
  var batches = KnownBatches()
  var tracks: [Int64: SimulationTrack] = [:]
  /// Generations in the order in which they were created.
  var generations: [Int64] = []
  var givenUp: Set<GivenUp> = []
  /// The latest time of the wall clock since it was set far back: stored state was decided at this time or earlier.
  var highestWall = Instant(milliseconds: .min)
  /// The latest time that the wall clock ever showed, right or wrong.
  var latestWall = Instant(milliseconds: .min)
  var mark = Instant(milliseconds: .min)
  /// The mark that the process recovered: ticks due up to it may have been sent by an earlier one.
  var markAtStart = Instant(milliseconds: .min)
  /// The entry of the history at which this process began.
  var processBegin = 1
  /// By how many milliseconds in total the wall clock was set while this process ran, and the maximum of that.
  var clockOffset: Int64 = 0, highestOffset: Int64 = 0
  /// The monotonic clock when this process began.
  var uptimeAtStart: Int64 = 0
  /// Outcomes that this process sent.
  var outcomes: [OutcomeName: SentOutcome] = [:]
  /// The schedules on which the broker closes the channel.
  var poisoned: [ScheduleID] = []
  var blocked: Set<Outlet> = []
  var isStoreFailing = false
  var targetList = TargetList()
  /// Whether a process had a list from which something was withdrawn.
  var wasListShort = false

  struct GivenUp: Hashable {
    var id: ScheduleID
    var slot: Instant
  }

  /// The broken promises as text, and how often the run reached the states that only a history shows.
  package static func check(_ history: SimulationHistory) -> SimulationChecker {
    var checker = SimulationChecker()
    for case .gaveUp(let id, let slot) in history.entries.map(\.event) {
      checker.reach(.gaveUp)
      checker.givenUp.insert(GivenUp(id: id, slot: slot))
    }
    for entry in history.entries {
      checker.now = entry.now
      checker.walls.append(entry.now.wall)
      checker.highestWall = max(checker.highestWall, entry.now.wall)
      checker.latestWall = max(checker.latestWall, entry.now.wall)
      checker.take(entry.event)
    }
    return checker
  }

  mutating func expect(_ isKept: Bool, _ promise: String, _ text: @autoclosure () -> String) {
    if !isKept { violations.append("\(promise): \(text()) at \(now.wall.rfc3339), \(now.uptime)") }
  }

  mutating func reach(_ state: RareState) { reached[state, default: 0] += 1 }

  private mutating func take(_ event: SimulationHistory.Event) {
    switch event {
    case .began(let window, let list):
      (repeatWindow, uptimeAtStart, processBegin) = (window, now.uptime, walls.count)
      targetList = list
      if list != TargetList() { wasListShort = true }
      for generation in generations { tracks[generation]?.controlled.processBegan(at: now.uptime) }
    case .submitted(let message): submitted(message)
    case .sent(let publication): sent(publication)
    case .arrived(let publication): arrived(publication)
    case .confirmed(let publication): confirmed(publication)
    case .refused(let publication): refused(publication)
    case .committed(let changes):
      beginTransaction(changes)
      for change in changes {
        committed(change)
        noteChanged(change)
      }
      decisions = []
    case .tried(let positions, let passedOver):
      inbox.tried(positions, passedOver: passedOver)
      decisions.append(now.wall)
    case .settled(let label, let settlement): settled(label, settlement)
    case .misbehaved(let text): violations.append("engine: \(text) at \(now)")
    case .gaveUp(let id, let slot): gaveUp(id, slot)
    case .gaveUpOutcome(let event, let origin): gaveUpOutcome(event, origin)
    case .poisoned(let ids): poisoned = ids
    case .clockStepped(let milliseconds): clockStepped(milliseconds)
    case .clockSetBack: clockWasSetBack()
    case .blocked(let outlet): blocked.insert(outlet)
    case .unblocked(let outlet): blocked.remove(outlet)
    case .storeFailed: isStoreFailing = true
    case .storeRecovered: isStoreFailing = false
    case .connectionLost(let outlet):
      blocked.remove(outlet)
      excuse(.resentAfterLoss, on: outlet)
    case .ended(let isClean):
      excuse(isClean ? nil : .resentAfterCrash)
      processEnded()
    case .finished: finished()
    case .finishedBesidePoison: finished(but: Exception(poisoned: poisoned))
    case .finishedBesideTargets(let isAnswered):
      finished(but: Exception(hasTargets: false, hasRoomForOwed: isAnswered))
    case .finishedBesideBus: finishedWithoutBus()
    }
  }

  private mutating func processEnded() {
    (blocked, isStoreFailing) = ([], false)
    batchesOutliveProcess()
    markAtStart = mark
    outcomes = [:]
    decisions = []
    (clockOffset, highestOffset) = (0, 0)
    for generation in generations { tracks[generation]?.processEnded() }
  }

  static let day: Int64 = 86_400_000

  private mutating func clockStepped(_ milliseconds: Int64) {
    clockOffset += milliseconds
    highestOffset = max(highestOffset, clockOffset)
    guard milliseconds < 0 else { return }
    for generation in generations { tracks[generation]?.waitAllowance -= milliseconds }
  }

  /// Whether the recovered mark is beyond any time that has passed since.
  private var isMarkFarAhead: Bool {
    let elapsed = now.uptime - uptimeAtStart
    return markAtStart > now.wall.advanced(byMilliseconds: Self.day - elapsed)
  }

  /// The engine reported a step back: it must be true, since the engine then returns to earlier slots.
  private mutating func clockWasSetBack() {
    reach(.clockSetFarBack)
    let step = clockOffset - highestOffset
    highestOffset = clockOffset
    let isFar = step < -Self.day || isMarkFarAhead
    expect(isFar, "P12", "the clock is said to have been set far back, it was \(step) ms")
    highestWall = now.wall
    for generation in generations { tracks[generation]?.clockWasSetBack() }
  }

  /// Ticks that were in flight may be sent again; after the end of a process also timed-out ones.
  ///
  /// - Parameter outlet: The connection that was lost; nil for both.
  private mutating func excuse(_ cause: RareState?, on outlet: Outlet? = nil) {
    for generation in generations {
      tracks[generation]?.controlled.excuse(cause, on: outlet, at: now.uptime)
      guard let slot = tracks[generation]?.nextTick?.slot, let sent = tracks[generation]?.sent[slot],
        outlet == nil || sent.tick.definition.outlet == outlet
      else { continue }
      let timeout: RareState? = now.uptime - sent.uptime >= 30_000 ? .resentAfterTimeout : nil
      tracks[generation]?.sent[slot]?.excuse = cause ?? sent.excuse ?? timeout
      tracks[generation]?.sent[slot]?.refusals = []
      tracks[generation]?.sent[slot]?.isDetached = true
    }
  }
}
