import Recurrence
import SchedulingTestKit
import Simulation
import Testing

@testable import Scheduling

/// Compares the window with the simplest possible store of schedules: an array.
struct DueWindowTests {
  private static let inDoubtThrough = Instant.second(3)

  private func schedule(_ id: ScheduleID, generation: Int64, due: Instant) -> Schedule {
    .live(Definition(id: id, timing: .at(due)), generation: generation, slot: due)
  }

  private func page(_ schedules: [Schedule], isLast: Bool = true) -> DuePage {
    DuePage(schedules: schedules, isLast: isLast)
  }

  @Test func loadedRowsComeInOrder() {
    var window = DueWindow()
    #expect(window.lanes[0].loadedThrough == nil)
    let schedules = [(1, 5), (2, 5), (3, 9)].map { schedule("\($0.0)", generation: $0.0, due: .second($0.1)) }
    window.load(
      page(schedules), through: .end(of: .bus, due: .second(30)), isInDoubt: { $0.due <= Self.inDoubtThrough })
    #expect(window.lanes[0].loadedThrough == DuePosition(on: .bus, due: .second(30), generation: .max))
    for schedule in schedules {
      let first = window.firstOfEach().min()
      #expect(first == schedule.position)
      window.move(schedule.generation, to: .advancing)
    }
    let rest = window.firstOfEach().min()
    #expect(rest == nil)
    #expect(window.outstandingCount == 3)
    #expect(window.lanes[0].waitingCount == 0)
  }

  /// A page that is not the last covers only its own rows.
  @Test func loadsInPages() {
    var window = DueWindow()
    let one = schedule("a", generation: 7, due: .second(5))
    window.load(
      page([one], isLast: false), through: .end(of: .bus, due: .second(30)),
      isInDoubt: { $0.due <= Self.inDoubtThrough })
    #expect(window.lanes[0].loadedThrough == DuePosition(on: .bus, due: .second(5), generation: 7))
    window.started(schedule("b", generation: 8, due: .second(5)))
    window.started(schedule("c", generation: 6, due: .second(5)))
    #expect(window[8] == nil, "beyond what is loaded: it comes with the next page")
    #expect(window[6] != nil)
  }

  /// Generations of one id are separate schedules: the replaced one is removed by its own generation.
  @Test func distinguishesGenerationsOfOneID() {
    var window = DueWindow()
    window.load(
      page([schedule("a", generation: 1, due: .second(5))]), through: .end(of: .bus, due: .second(30)),
      isInDoubt: { $0.due <= .noon })
    window.started(schedule("a", generation: 2, due: .second(7)))
    window.move(1, to: .advancing)
    #expect(window.outstandingIDs == ["a"])
    window.remove(1)
    let first = window.firstOfEach().min()
    #expect(first == DuePosition(on: .bus, due: .second(7), generation: 2))
    #expect(window[1] == nil)
    #expect(window.outstandingIDs.isEmpty)
  }

  /// Rows that may have been sent: those in doubt when loaded, and those sent by this process.
  @Test func knowsWhatMayHaveBeenSent() throws {
    var window = DueWindow()
    let schedules = (1...3).map { schedule("\($0)", generation: $0, due: .second($0 + 1)) }
    window.load(
      page(schedules), through: .end(of: .bus, due: .second(30)), isInDoubt: { $0.due <= Self.inDoubtThrough })
    #expect(schedules.map { window[$0.generation]?.mayHaveBeenSent } == [true, true, false])
    let progress = Schedule.Progress(state: schedules[2].state, counter: 1)
    window.move(3, to: .sent(progress))
    window.move(3, to: .waiting)
    #expect(window[3]?.mayHaveBeenSent == true)
    let later = Schedule.State.live(Schedule.NextTick(slot: .second(9), due: .second(9)))
    for generation in [1, 3] as [Int64] {
      #expect(window.advanced(generation, to: Schedule.Progress(state: later, counter: 1))?.counter == 1)
      #expect(window[generation]?.mayHaveBeenSent == false)
    }
  }

  @Test func heldRowsWaitUntilReleased() {
    var window = DueWindow()
    window.load(
      page([schedule("a", generation: 1, due: .second(5))]), through: .end(of: .bus, due: .second(30)),
      isInDoubt: { $0.due <= .noon })
    window.move(1, to: .held)
    let whileHeld = window.firstOfEach().min()
    #expect(whileHeld == nil)
    #expect(window.outstandingIDs.isEmpty)
    window.releaseHeld()
    window.releaseHeld()
    let released = window.firstOfEach().min()
    #expect(released == DuePosition(on: .bus, due: .second(5), generation: 1))
    #expect(window.lanes[0].waitingCount == 1)
  }

  /// Rows that may have been sent stay, however many wait, since the store does not record that.
  @Test func shrinkKeepsWhatMayHaveBeenSent() {
    var window = DueWindow()
    let schedules = (1...10).map { schedule("\($0)", generation: $0, due: .second($0)) }
    window.load(page(schedules), through: .end(of: .bus, due: .second(30)), isInDoubt: { $0.due <= .noon })
    let progress = Schedule.Progress(state: schedules[4].state, counter: 1)
    window.move(5, to: .sent(progress))
    window.move(5, to: .waiting)
    window.shrink(to: 2)
    #expect((1...10).map { window[$0] != nil } == (1...10).map { $0 <= 5 })
    #expect(window.lanes[0].covers(schedules[4].position!) && !window.lanes[0].covers(schedules[5].position!))
  }

  /// A row that left and came back has its position in the queue twice, and only one of them is dropped.
  @Test func shrinkDropsARowThatWasPausedForAMoment() {
    var window = DueWindow()
    let schedules = (1...4).map { schedule("\($0)", generation: $0, due: .second($0)) }
    window.load(page(schedules), through: .end(of: .bus, due: .second(30)), isInDoubt: { _ in false })
    window.remove(2)
    window.started(schedules[1])
    window.shrink(to: 2)
    #expect(window[1] != nil && window[2] == nil)
    #expect(window.lanes[0].covers(schedules[0].position!) && !window.lanes[0].covers(schedules[1].position!))
  }

  /// A row that may have been sent stays although a command changes it and no lane covers it: the store does not know.
  @Test func aChangeKeepsWhatMayHaveBeenSent() {
    var window = DueWindow()
    let one = schedule("a", generation: 1, due: .second(1))
    window.load(page([one], isLast: false), through: .end(of: .bus, due: .second(30)), isInDoubt: { _ in true })
    window.lanes[0].unload(from: one.position!)
    window.revised(one, afterTick: nil)
    #expect(window[1]?.mayHaveBeenSent == true)
    let first = window.firstOfEach().min()
    #expect(first == one.position)
  }

  // MARK: Random histories

  /// While more is due than the window holds, newly due schedules have a lane of their own; the lanes take turns until
  /// they meet.
  @Test func lanesTakeTurnsAndMeet() {
    var window = DueWindow()
    let burst = (1...4).map { schedule("b\($0)", generation: $0, due: .second(1)) }
    let later = (5...6).map { schedule("l\($0)", generation: $0, due: .second($0)) }
    window.load(
      page(Array(burst[..<3]), isLast: false), through: .end(of: .bus, due: .second(30)), isInDoubt: { $0.due <= .noon }
    )
    window.openLaneAhead(after: DuePosition(on: .bus, due: .second(2), generation: .max))
    window.load(page(later), into: 1, through: .end(of: .bus, due: .second(32)), isInDoubt: { $0.due <= .noon })
    var sent: [Int64] = []
    for _ in 0..<12 {  // the lane of the targets takes its turn, too
      guard let position = window.firstInTurn() else { continue }
      sent.append(position.generation)
      window.move(position.generation, to: .advancing)
    }
    #expect(sent == [5, 1, 6, 2, 3])
    window.load(page([burst[3]]), through: .end(of: .bus, due: .second(2)), isInDoubt: { $0.due <= .noon })
    #expect(!window.hasLaneAhead)
    #expect(window.lanes[0].loadedThrough == DuePosition(on: .bus, due: .second(32), generation: .max))
    let last = window.firstOfEach()
    #expect(last == [burst[3].position])
  }

  /// Random operations on a window: no schedule in a loaded stretch is ever missing, and the first due one is always
  /// known.
  @Test(arguments: 0..<300 as Range<UInt64>)
  func neverLosesASchedule(seed: UInt64) throws {
    var history = WindowHistory(seed: seed)
    for _ in 0..<150 {
      history.step()
      try history.check()
    }
  }
}

/// A window, the stored schedules, and their history.
private struct WindowHistory {
  private var random: SeededGenerator
  private var window = DueWindow()
  /// The stored schedules in due order.
  private var stored: [Schedule] = []
  private var outstanding: Set<Int64> = []
  private var aside: Set<Int64> = []
  private var lastGeneration: Int64 = 0

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
  }

  mutating func step() {
    switch Int.random(in: 0..<11, using: &random) {
    case 0, 1: load()
    case 2, 3, 4: start()
    case 5, 6: send()
    case 7: settle()
    case 8: bringBack()
    case 9: if random.oneIn(3) { window.shrink(to: .random(in: 1...4, using: &random)) }
    default: if random.oneIn(4) { window.dropLaneAhead() } else { openLane() }
    }
  }

  func check() throws {
    var window = window
    let covered = stored.filter { schedule in window.lanes.contains { $0.covers(schedule.position!) } }
    for schedule in covered { #expect(window[schedule.generation]?.schedule == schedule) }
    let busy = outstanding.union(aside)
    let waiting = stored.filter { window[$0.generation] != nil && !busy.contains($0.generation) }
    let first = window.firstOfEach().min()
    #expect(first == waiting.first?.position)
    let targets = stored.filter { $0.definition.hasTarget && outstanding.contains($0.generation) }.count
    #expect(window.outstanding[.targets] == targets)
    #expect(window.outstanding[.bus] == outstanding.count - targets)
    #expect(window.lanes.reduce(0) { $0 + $1.waitingCount } >= waiting.count)
    #expect(window.outstandingIDs == Set(stored.filter { outstanding.contains($0.generation) }.map(\.id)))
  }

  /// Loads the next page of a lane as the store would return it. A lane ends where the next one starts.
  private mutating func load() {
    let index = window.lanes.indices.randomElement(using: &random) ?? 0
    let lane = window.lanes[index]
    let outlet = lane.start?.outlet ?? .bus
    let through = DuePosition.end(of: outlet, due: .second(.random(in: 0..<60, using: &random)))
    let end = index + 1 < window.lanes.count ? min(through, window.lanes[index + 1].start!) : through
    let position = lane.loadedThrough ?? lane.start
    guard position.map({ $0 < end }) ?? true else { return }
    let due = stored.filter { schedule in
      schedule.position! <= end && (position.map { schedule.position! > $0 } ?? true)
    }
    let page = due.prefix(.random(in: 1...6, using: &random))
    window.load(
      DuePage(schedules: Array(page), isLast: page.count == due.count), into: index, through: end,
      isInDoubt: { $0.due <= .second(-1) })
  }

  private mutating func openLane() {
    let start = DuePosition(on: .bus, due: .second(.random(in: 0..<50, using: &random)), generation: .max)
    guard let loaded = window.lanes[0].loadedThrough, loaded < start else { return }
    window.openLaneAhead(after: start)
  }

  private mutating func start() {
    let id: ScheduleID = "\(Int.random(in: 0..<30, using: &random))"
    if let index = stored.firstIndex(where: { $0.id == id }) {
      guard !outstanding.contains(stored[index].generation) else { return }
      aside.remove(stored[index].generation)
      window.remove(stored.remove(at: index).generation)
    }
    lastGeneration += 1
    let due = Instant.second(.random(in: 0..<60, using: &random))
    let target = random.oneIn(3) ? Target(detailType: "Alarm") : nil
    let definition = Definition(id: id, timing: .at(due), target: target)
    let schedule = Schedule.live(definition, generation: lastGeneration, slot: due)
    store(schedule)
    window.started(schedule)
  }

  private mutating func send() {
    guard let position = window.firstOfEach().min() else { return }
    let progress = Schedule.Progress(state: .live(.init(slot: position.due, due: position.due)), counter: 1)
    switch Int.random(in: 0..<4, using: &random) {
    case 0: window.move(position.generation, to: .advancing)
    case 1:
      window.move(position.generation, to: .held)
      aside.insert(position.generation)
      return
    default: window.move(position.generation, to: .sent(progress))
    }
    outstanding.insert(position.generation)
  }

  /// An outstanding schedule advances or ends.
  private mutating func settle() {
    guard let generation = outstanding.sorted().randomElement(using: &random) else { return }
    outstanding.remove(generation)
    guard let index = stored.firstIndex(where: { $0.generation == generation }) else { return }
    var schedule = stored.remove(at: index)
    schedule.progress.counter += 1
    if random.oneIn(3) {
      schedule.progress.state = .ended(.init(reason: nil, at: .noon, owesStopped: false))
    } else {
      let due = schedule.nextTick!.due.advanced(byMilliseconds: .random(in: 0...40_000, using: &random))
      schedule.progress.state = .live(.init(slot: due, due: due))
      store(schedule)
    }
    let advanced = window.advanced(generation, to: schedule.progress)
    #expect(advanced == schedule)
  }

  /// The connection is lost, a nack arrives, or zone data changes: rows wait again or are held.
  private mutating func bringBack() {
    if random.oneIn(2) {
      window.releaseHeld()
      aside = aside.filter { if case .retrying? = window[$0]?.phase { true } else { false } }
      return
    }
    guard let generation = outstanding.sorted().randomElement(using: &random) else { return }
    guard case .sent(let progress)? = window[generation]?.phase else { return }
    outstanding.remove(generation)
    if random.oneIn(2) {
      window.move(generation, to: .waiting)
    } else {
      window.move(generation, to: .retrying(progress))
      aside.insert(generation)
    }
  }

  private mutating func store(_ schedule: Schedule) {
    let index = stored.firstIndex { $0.position! > schedule.position! } ?? stored.endIndex
    stored.insert(schedule, at: index)
  }
}
