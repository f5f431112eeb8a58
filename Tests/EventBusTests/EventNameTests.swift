import EventBus
import Scheduling
import Testing

@Suite("Event names")
struct EventNameTests {
  @Test("commands and questions are not our own events, all others are")
  func own() {
    let requests: [EventName] = [.start, .stop, .pause, .resume, .trigger, .update, .describe, .list]
    #expect(EventName.allCases.filter { !$0.isOwn } == requests)
    #expect(EventName.requests == requests)
  }
}
