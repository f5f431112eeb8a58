import Logging
import Scheduling
import Testing

@testable import AMQP
@testable import PocketwatchService

@Suite("The journal")
struct JournalTests {
  @Test("an error that stays is told once for each broker, and again after a connection")
  func disconnected() throws {
    let log = RecordingLog()
    var journal = Journal(logger: log.logger)
    let errors = ["amqp://u@one:5672/", "amqp://u@two:5672/"].map { AMQPError(.unreachable, "refused", endpoint: $0) }
    for _ in 1...5 {
      for error in errors { journal.disconnected("publishing", error, retryAfter: .zero) }
    }
    #expect(log.take().count == 2)
    journal.disconnected("consuming", errors[0], retryAfter: .zero)
    journal.disconnected("publishing", AMQPError(.timeout, "late", endpoint: errors[0].endpoint), retryAfter: .zero)
    #expect(log.take().map(\.level) == [.warning, .warning])
    journal.connected("publishing", to: ServerInfo(endpoint: "amqp://u@one:5672/", user: "u"))
    _ = log.take()
    journal.disconnected("publishing", errors[1], retryAfter: .zero)
    #expect(log.take().count == 1)
  }

  @Test("a user_id that the broker refuses names the switch that leaves it out")
  func userID() throws {
    let log = RecordingLog()
    var journal = Journal(logger: log.logger)
    let error = AMQPError(.channelClosed(code: 406), "PRECONDITION_FAILED - user_id property set to 'a'")
    journal.disconnected("publishing", error, retryAfter: .zero)
    #expect(log.take().first?.message.contains("POCKETWATCH_USER_ID=off") == true)
  }

  @Test("returned ticks are told once, whatever their number")
  func returned() throws {
    let log = RecordingLog()
    var journal = Journal(logger: log.logger)
    for number in 1...1000 {
      journal.note(.tickReturned(try #require(ScheduleID(validating: "s\(number)")), cause: "312 NO_ROUTE"), uptime: 5)
      journal.flush(uptime: 5)
    }
    let entries = log.take()
    #expect(entries.map(\.metadata) == [["id": "s1", "cause": "312 NO_ROUTE"]])
  }
}
