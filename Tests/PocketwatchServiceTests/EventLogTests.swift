import Logging
import Scheduling
import Testing

@testable import AMQP
@testable import PocketwatchService

@Suite("Event log")
struct EventLogTests {
  @Test("a lasting error is logged once per broker, and again after a connection")
  func disconnected() throws {
    let log = RecordingLog()
    var events = EventLog(logger: log.logger)
    let errors = ["amqp://u@one:5672/", "amqp://u@two:5672/"].map { AMQPError(.unreachable, "refused", endpoint: $0) }
    for _ in 1...5 {
      for error in errors { events.disconnected("publishing", error) }
    }
    #expect(log.take().count == 2)
    events.disconnected("consuming", errors[0])
    events.disconnected("publishing", AMQPError(.timeout, "late", endpoint: errors[0].endpoint))
    #expect(log.take().map(\.level) == [.debug, .debug])
    events.connected("publishing", to: ServerInfo(endpoint: "amqp://u@one:5672/", user: "u"))
    _ = log.take()
    events.disconnected("publishing", errors[1])
    #expect(log.take().count == 1)
  }

  @Test("returned ticks are logged once, whatever their number")
  func returned() throws {
    let log = RecordingLog()
    var events = EventLog(logger: log.logger)
    for number in 1...1000 {
      events.note(.tickReturned(try #require(ScheduleID(validating: "s\(number)")), cause: "312 NO_ROUTE"), uptime: 5)
      events.flush(uptime: 5)
    }
    let entries = log.take()
    #expect(entries.map(\.metadata) == [["id": "s1", "cause": "312 NO_ROUTE"]])
  }

  @Test("six different rejections give six entries at once")
  func rejections() throws {
    let log = RecordingLog()
    var events = EventLog(logger: log.logger)
    let causes = [
      ("Schedule Start", "a", "cron", "minute: 60 is not within 0-59"),
      ("Schedule Start", "a", "cron", "too many fields"),
      ("Schedule Start", "b", "timezone", "'Mars' is unknown"), ("Schedule Stop", "c", "id", "no such schedule"),
      ("Schedule Stop", "d", "id", "no such schedule"), ("Schedule Start", "d", "id", "no such schedule"),
    ]
    for _ in 1...2 {
      for (command, id, field, reason) in causes {
        let rejection = Rejection(id: ScheduleID(validating: id), command: command, field: field, reason: reason)
        events.note(.commandRejected(rejection), uptime: 5)
      }
    }
    let entries = log.take()
    #expect(entries.map(\.message) == causes.map { "rejected a \($0.0)" })
    #expect(entries.map(\.metadata) == causes.map { ["id": $0.1, "cause": "\($0.2): \($0.3)"] })
    events.flush(uptime: 60_005)
    #expect(log.take().count == 6)
  }

  @Test("the number of missed slots is a field")
  func missed() throws {
    let log = RecordingLog()
    var events = EventLog(logger: log.logger)
    events.note(.missedSlotsFolded(try #require(ScheduleID(validating: "a")), count: 12), uptime: 5)
    #expect(log.take().map(\.metadata) == [["id": "a", "missed": "12"]])
  }
}
