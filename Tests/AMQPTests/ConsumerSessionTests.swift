@testable import AMQP
import Testing

/// When a consumer reports that no redelivered message is left, and the meaning of the broker's counts.
struct ConsumerSessionTests {
  private let begin = SuspendingClock.now

  private func delivery(redelivered: Bool, _ headers: Table = Table()) -> Delivery {
    var properties = Properties()
    properties.headers = headers
    return Delivery(
      tag: 1, consumerTag: "", redelivered: redelivered, exchange: "", routingKey: [], properties: properties, body: [],
      bodySize: 0)
  }

  private func session(after deliveries: Bool...) -> ConsumerSession {
    var session = ConsumerSession(tag: "", epoch: 1)
    session.delivered(deliveries.map { delivery(redelivered: $0) }, at: begin)
    return session
  }

  /// For 0.6 s after its start a node reports a queue as empty that is not.
  @Test func emptyMeansEmptyTwice() throws {
    var session = session(after: true)
    let first = try #require(session.nextCheck)
    let isEmptyAtFirst = session.checked(messages: 0, at: first)
    #expect(!isEmptyAtFirst)
    let second = try #require(session.nextCheck)
    #expect(second - first >= .seconds(1))
    let isEmpty = session.checked(messages: 0, at: second)
    #expect(isEmpty)
    #expect(session.nextCheck == nil)
  }

  @Test func aMessageOrADeliveryInBetweenRestartsTheCheck() throws {
    var session = session(after: true)
    for messages in [0, 3, 0] {
      let isEmpty = session.checked(messages: messages, at: begin)
      #expect(!isEmpty, "\(messages) messages")
    }
    session.delivered([delivery(redelivered: true)], at: begin)
    let isEmpty = session.checked(messages: 0, at: begin)
    #expect(!isEmpty)
  }

  /// A first delivery shows that no redelivered message is left.
  @Test func aFirstDeliveryEndsTheCheck() {
    #expect(session(after: true, false).nextCheck == nil)
    #expect(session(after: false, true).nextCheck != nil)
  }

  @Test(arguments: [
    ("3.10.8", 3), ("4.0.5", 3), ("4.2.9", 3), ("4.3.0", 7), ("4.10.1-rc.1", 7), ("5.0", 7), ("", 3),
  ])
  func countsAreThoseOfTheVersion(version: String, count: Int64) {
    var server = ServerInfo(endpoint: "", user: "")
    server.version = version
    let headers: Table = ["x-delivery-count": .int64(3), "x-acquired-count": .int32(7)]
    #expect(delivery(redelivered: true, headers).deliveryCount(by: server) == count)
    #expect(delivery(redelivered: true).deliveryCount(by: server) == 0)
    #expect(delivery(redelivered: false, headers).deliveryCount(by: server) == 0, "they are a client's own")
  }

  @Test func propertiesAreDecodedFromTheirEncoding() {
    var properties = Properties()
    properties.contentType = "application/json"
    properties.headers = ["x-delivery-count": .int64(3), "nested": .table(["a": .array([.void, .boolean(true)])])]
    properties.deliveryMode = .persistent
    properties.priority = 9
    properties.messageID = [0, 255, 1]
    properties.expiration = "60000"
    properties.userID = "guest"
    #expect(Properties(encoded: properties.encoded) == properties)
    #expect(Properties(encoded: Properties().encoded) == Properties())
    #expect(Properties(encoded: [0x80]) == nil)
  }
}
