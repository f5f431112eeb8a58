import EventBus
import Scheduling
import Testing

@Suite("Event names")
struct EventNameTests {
  @Test("commands are not our own events, all others are")
  func own() {
    #expect(EventName.allCases.filter { !$0.isOwn } == [.start, .stop, .pause, .resume, .trigger, .update])
  }
}
