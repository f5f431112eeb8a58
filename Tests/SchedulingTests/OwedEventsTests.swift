import Recurrence
import Simulation
import Testing

@testable import Scheduling

/// P29: which events that rows owe are in memory, and in which order.
struct OwedEventsTests {
  private let settings: Engine.Settings

  init() {
    var settings = Engine.Settings()
    settings.maximumOwedEvents = 4
    settings.duePage = 2
    settings.maximumOwedBytes = 1000
    self.settings = settings
  }

  private func ended(_ generation: Int64, payloadBytes: Int = 0, owes: Bool = true) throws -> Schedule {
    let payload = payloadBytes == 0 ? nil : [UInt8](repeating: UInt8(ascii: "1"), count: payloadBytes)
    var definition = Definition(id: ScheduleID("s\(generation)"), timing: try Timing(every: "1s"))
    definition.payload = payload
    let ending = Schedule.Ending(reason: Schedule.EndReason.countLimit, at: .noon, owesStopped: owes)
    return Schedule(
      definition: definition, origin: Origin(), key: Schedule.Key(generation: generation, beginningAt: .noon),
      progress: Schedule.Progress(state: .ended(ending)))
  }

  /// Notices after every row was read.
  private func readAll() -> OwedEvents {
    var notices = OwedEvents()
    notices.read(after: 0, through: nil, isLast: true, at: .second(0))
    return notices
  }

  @Test func admitsOnlyOwedNoticesAndEachOnce() throws {
    var notices = readAll()
    #expect(notices.admit(try ended(1), settings)?.owed == .stopped)
    #expect(notices.admit(try ended(1), settings) == nil)
    #expect(notices.admit(try ended(2, owes: false), settings) == nil)
    #expect(notices.ids == [try ended(1).id])
    _ = notices.announced(1)
    #expect(notices.ids.isEmpty)
    #expect(notices.nextPage(settings) == nil, "every notice was admitted")
  }

  @Test func withoutRoomTheRowIsReadAgain() throws {
    var notices = readAll()
    for generation in 1...4 as ClosedRange<Int64> { _ = notices.admit(try ended(generation), settings) }
    for generation in [9, 7, 8] as [Int64] { #expect(notices.admit(try ended(generation), settings) == nil) }
    #expect(notices.ids.count == 4)
    #expect(notices.nextPage(settings) == nil, "there is no room")
    _ = notices.announced(1)
    #expect(notices.nextPage(settings) == nil, "there is no room for a page")
    _ = notices.announced(2)
    let page = notices.takePage(settings)
    #expect(try #require(page) == (6, 2))
    #expect(notices.admit(try ended(7), settings) != nil)
    #expect(notices.admit(try ended(8), settings) != nil)
    notices.read(after: 6, through: 8, isLast: false, at: .second(0))
    #expect(notices.cursor == 8)
    _ = notices.announced(3)
    _ = notices.announced(4)
    #expect(try #require(notices.nextPage(settings)) == (8, 2))
    #expect(notices.admit(try ended(9), settings) != nil)
    notices.read(after: 8, through: 9, isLast: true, at: .second(0))
    #expect(notices.cursor == nil)
  }

  /// A schedule ends without room while a page is read: its row is read later.
  @Test func noRoomWhileReading() throws {
    var notices = OwedEvents()
    notices.read(after: 0, through: 50, isLast: false, at: .second(0))
    for generation in 1...4 as ClosedRange<Int64> { _ = notices.admit(try ended(generation), settings) }
    #expect(notices.admit(try ended(20), settings) == nil)
    notices.read(after: 50, through: 60, isLast: true, at: .second(0))
    #expect(notices.cursor == 19)
  }

  /// Large payloads, or schedules that end while a page is read, leave no room for the rest of that page.
  @Test(arguments: [true, false])
  func noRoomForTheRestOfAPage(isLast: Bool) throws {
    var notices = OwedEvents()
    #expect(notices.admit(try ended(1, payloadBytes: 1000), settings) != nil)
    #expect(notices.admit(try ended(2, payloadBytes: 1000), settings) == nil)
    notices.read(after: 0, through: 2, isLast: isLast, at: .second(0))
    #expect(notices.nextPage(settings) == nil, "there is no room")
    _ = notices.announced(1)
    let page = notices.takePage(settings)
    #expect(try #require(page) == (1, 2))
    #expect(notices.admit(try ended(2, payloadBytes: 1000), settings) != nil)
    notices.read(after: 1, through: 2, isLast: isLast, at: .second(0))
    #expect(notices.cursor == (isLast ? nil : 2))
  }

  @Test func isBoundedInBytes() throws {
    var notices = readAll()
    #expect(notices.admit(try ended(1, payloadBytes: 1000), settings) != nil)
    #expect(notices.admit(try ended(2), settings) == nil)
    #expect(notices.nextPage(settings) == nil)
    _ = notices.announced(1)
    #expect(notices.nextPage(settings) != nil)
    #expect(notices.admit(try ended(2), settings) != nil)
  }

  /// A command waits for the notice; the number of commands is limited.
  @Test func awaitedNoticeIsAlwaysAdmitted() throws {
    var notices = readAll()
    for generation in 1...4 as ClosedRange<Int64> { _ = notices.admit(try ended(generation), settings) }
    #expect(notices.admit(try ended(5), isAwaited: true, settings) != nil)
    #expect(notices.admit(try ended(1), isAwaited: true, settings) == nil, "it is in memory already")
    #expect((1...5).filter(notices.isAwaited) == [1, 5])
  }

  /// Nacked notices make room for others, and are read again after all others, but not at once.
  @Test func nackedNoticesMakeRoom() throws {
    var notices = readAll()
    _ = notices.admit(try ended(1), settings)
    #expect(notices.release(1, at: .second(0)) == false, "no other notice waits")
    for generation in 2...5 as ClosedRange<Int64> { _ = notices.admit(try ended(generation), settings) }
    #expect(notices.cursor == 4)
    _ = notices.admit(try ended(2), isAwaited: true, settings)
    #expect(notices.release(2, at: .second(0)) == false, "a command waits for it")
    #expect(notices.release(1, at: .second(0)) == true)
    #expect(notices.release(3, at: .second(0)) == true)
    #expect(notices.admit(try ended(5), settings) != nil)
    notices.read(after: 4, through: 5, isLast: true, at: .second(10))
    #expect(notices.cursor == nil)
    #expect(notices.nextRound == Now.second(70).uptime)
    notices.beginRound(at: .second(69))
    #expect(notices.cursor == nil)
    notices.beginRound(at: .second(70))
    #expect(notices.cursor == 0)
    #expect(notices.nextRound == nil)
  }
}
