import Recurrence
import Scheduling
import Testing

@testable import AMQP
@testable import PocketwatchService

@Suite("Probation of the publishing connection")
struct ProbationTests {
  private let server = ServerInfo(endpoint: "amqp://u@one:5672/", user: "u")

  private func at(_ uptime: Int64) -> Now { Now(wall: Instant(milliseconds: 0), uptime: uptime) }

  @Test("a connection is well at once, told once")
  func plain() {
    var probation = Probation()
    #expect(probation.passed(at: at(0)) == nil)
    probation.connected(to: server, at: at(5))
    #expect(probation.passed(at: at(5)) != nil)
    #expect(probation.passed(at: at(6)) == nil)
    probation.failed(AMQPError(.connectionLost, "reset"))
    probation.connected(to: server, at: at(7))
    #expect(probation.passed(at: at(7)) != nil)
  }

  @Test("after a refusal it is well only with a confirm, or after ten seconds; a loop of refusals never tells")
  func suspect() {
    var probation = Probation()
    for uptime in 1...5 {
      probation.failed(AMQPError(.channelClosed(code: 403), "ACCESS_REFUSED"))
      probation.connected(to: server, at: at(Int64(uptime) * 1000))
      #expect(probation.passed(at: at(Int64(uptime) * 1000 + 999)) == nil)
    }
    probation.confirmed(at: at(6000))
    #expect(probation.passed(at: at(6000)) != nil)
    probation.failed(AMQPError(.channelClosed(code: 403), "ACCESS_REFUSED"))
    probation.confirmed(at: at(6500))
    probation.connected(to: server, at: at(7000))
    #expect(probation.end == 17_000)
    #expect(probation.passed(at: at(16_999)) == nil)
    #expect(probation.passed(at: at(17_000)) != nil)
  }
}
