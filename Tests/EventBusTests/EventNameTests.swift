import EventBus
import Testing

@Suite("Event names")
struct EventNameTests {
  @Test("commands are not our own events, all others are")
  func own() {
    #expect(EventName.allCases.filter { !$0.isOwn } == [.start, .stop])
  }

  @Test(
    "a name is compared by bytes",
    arguments: ["schedule Start", "Schedule Start ", "Schedule", "", "Schedule\u{A0}Start"])
  func others(text: String) {
    #expect(EventName(bytes: text.utf8) == nil)
  }
}
