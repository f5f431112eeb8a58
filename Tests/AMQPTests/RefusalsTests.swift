import AMQP
import Testing

/// Messages for which the broker closes the channel: finding the message, and refusing its kind locally.
struct RefusalsTests {
  private let start = SuspendingClock.now

  private func batch(_ messages: [(number: UInt64, key: String, bytes: Int)]) -> MessageBatch {
    MessageBatch(frameMax: 131_072) { batch in
      for (number, key, bytes) in messages {
        let body = [UInt8](repeating: 0, count: bytes)
        batch.add(Message(exchange: "e", routingKey: key, mandatory: true, body: body), number: number)
      }
    }
  }

  private func sendAll(_ sendWindow: inout SendWindow, at now: SuspendingClock.Instant? = nil) -> [UInt64] {
    var numbers: [UInt64] = []
    while let slice = sendWindow.takeNext(atMostBytes: .max, at: now ?? start) { numbers += slice.numbers }
    return numbers
  }

  private func refused(_ sendWindow: inout SendWindow) -> [UInt64] { sendWindow.takeRefused().map(\.number) }

  private let tooLarge = AMQPError(
    .channelClosed(code: 406), "PRECONDITION_FAILED - message size 262391 is larger than configured max size 262144")
  private let noTopicRight = AMQPError(
    .channelClosed(code: 403),
    "ACCESS_REFUSED - write access to topic 'Schedule Tick' in exchange 'events' in vhost '/' refused for user 'pw'")

  /// Sends messages 1 to 9 of ten bytes by default, of which the first three are confirmed.
  private func window(_ change: [UInt64: (key: String, bytes: Int)] = [:]) -> SendWindow {
    var sendWindow = SendWindow(window: 100, isProven: true)
    sendWindow.add(
      batch((1...9).map { number in (number, change[number]?.key ?? "k", change[number]?.bytes ?? 10) }))
    #expect(sendAll(&sendWindow) == Array(1...9))
    #expect(sendWindow.resolve(3, multiple: true) == [1, 2, 3])
    return sendWindow
  }

  /// By its size. Larger messages are not sent from then on, and do not delay others.
  @Test func tooLargeAMessage() throws {
    var sendWindow = window([5: ("k", 262_391), 8: ("k", 262_391)])
    #expect(sendWindow.culprit(of: tooLarge, at: start) == .one(5))
    #expect(sendWindow.refusals.largestBody == 262_144)
    var next = SendWindow(window: 100, refusals: sendWindow.refusals, isProven: true)
    next.add(batch([(20, "k", 10), (21, "k", 262_145), (22, "other", 300_000)]))
    next.add(batch([(23, "k", 300_000), (24, "k", 262_144)]))
    #expect(sendAll(&next) == [20, 24])
    #expect(refused(&next) == [21, 22, 23])
    #expect(refused(&next) == [])
    #expect(next.resolve(0, multiple: true) == [20, 24])
    #expect(next.refusals.largestBody == 262_144)
    #expect(next.isEmpty)
  }

  @Test(arguments: [
    "message size 16777217 is larger than max size 16777216", "message size 9 is larger than max size x",
  ])
  func otherWordsOnSize(text: String) {
    var sendWindow = window([5: ("k", 16_777_217)])
    let error = AMQPError(.channelClosed(code: 406), "PRECONDITION_FAILED - \(text)")
    let isKnown = text.contains("16777216")
    #expect(sendWindow.culprit(of: error, at: start) == (isKnown ? .one(5) : .unknown(6)))
    #expect(sendWindow.refusals.largestBody == (isKnown ? 16_777_216 : nil))
  }

  /// A probe is sent after 1 s, 2 s, 4 s … 60 s, to find out whether the right was granted.
  @Test func noRightForARoutingKey() throws {
    var sendWindow = window([5: ("Schedule Tick", 10), 7: ("Schedule Tick", 10)])
    #expect(sendWindow.culprit(of: noTopicRight, at: start) == .one(5))
    var now = start
    var number: UInt64 = 100
    for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
      var next = SendWindow(window: 100, refusals: sendWindow.refusals, isProven: true)
      next.add(batch([(number, "Schedule Tick", 10), (number + 1, "k", 10)]))
      #expect(sendAll(&next, at: now + .seconds(pause) - .milliseconds(1)) == [number + 1])
      #expect(refused(&next) == [number])
      now += .seconds(pause)
      next.add(batch([(number + 2, "Schedule Tick", 10), (number + 3, "k", 10), (number + 4, "Schedule Tick", 10)]))
      #expect(sendAll(&next, at: now) == [number + 2, number + 3])
      #expect(refused(&next) == [number + 4])
      #expect(next.culprit(of: noTopicRight, at: now) == .one(number + 2))
      sendWindow = next
      number += 10
    }
  }

  /// A confirm of the probe shows that the right was granted, and so does a second without an error: a queue may confirm late.
  @Test(arguments: [true, false])
  func theRightIsThereAgain(isConfirmed: Bool) throws {
    var sendWindow = window([5: ("Schedule Tick", 10)])
    _ = sendWindow.culprit(of: noTopicRight, at: start)
    var next = SendWindow(window: 100, refusals: sendWindow.refusals, isProven: true)
    next.add(batch([(20, "Schedule Tick", 10)]))
    let later = start + .seconds(1)
    #expect(sendAll(&next, at: later) == [20])
    #expect(next.nextAdvance == later + .seconds(1))
    if isConfirmed {
      #expect(next.resolve(1, multiple: false) == [20])
    } else {
      next.advance(to: later + .milliseconds(999))
      #expect(next.refusals.current.count == 1)
      next.advance(to: later + .seconds(1))
    }
    #expect(next.refusals.current.isEmpty)
    #expect(next.nextAdvance == nil)
    next.add(batch([(21, "Schedule Tick", 10), (22, "Schedule Tick", 10)]))
    #expect(sendAll(&next, at: later) == [21, 22])
  }

  /// With no essential exchange, a topic without right holds up no other message of its exchange, unless there are many of them;
  /// a missing exchange holds up no other exchange.
  @Test func exchangesThatAreNotEssential() throws {
    func batch(_ messages: [(number: UInt64, exchange: String, key: String)]) -> MessageBatch {
      MessageBatch(frameMax: 131_072) { batch in
        for (number, exchange, key) in messages {
          batch.add(Message(exchange: exchange, routingKey: key, body: []), number: number)
        }
      }
    }
    var refusals = Refusals(essentialExchange: "")
    func learn(_ exchange: String, _ key: String, _ error: AMQPError) -> SendWindow.Culprit {
      var window = SendWindow(window: 100, refusals: refusals, isProven: true)
      window.add(batch([(1, "other", "k"), (2, exchange, key), (3, exchange, "last")]))
      _ = sendAll(&window)
      defer { refusals = window.refusals }
      return window.culprit(of: error, at: start)
    }
    func topicError(_ key: String, _ exchange: String) -> AMQPError {
      AMQPError(
        .channelClosed(code: 403),
        "ACCESS_REFUSED - write access to topic '\(key)' in exchange '\(exchange)' in vhost '/' refused for user 'pw'")
    }
    func accepted() -> [UInt64] {
      var next = SendWindow(window: 100, refusals: refusals, isProven: true)
      next.add(batch([(11, "e", "k0"), (12, "e", "other"), (13, "f", "k0"), (14, "g", "k0")]))
      return sendAll(&next)
    }
    #expect(learn("e", "k0", topicError("k0", "e")) == .one(2))
    #expect(accepted() == [12, 13, 14])
    let missing = AMQPError(.channelClosed(code: 404), "NOT_FOUND - no exchange 'g' in vhost '/'")
    #expect(learn("g", "k", missing) == .one(2))
    #expect(accepted() == [12, 13])
    for number in 1...64 { _ = learn("e", "k\(number)", topicError("k\(number)", "e")) }
    #expect(accepted() == [13])
    #expect(refusals.current.count == 66)
    // The broker shortens long texts.
    let shortened = AMQPError(.channelClosed(code: 403), "ACCESS_REFUSED - write access to topic 'xxxxxx...")
    #expect(learn("e2", "x", shortened) == .unknown(3))
  }

  /// When the broker does not say which message it refused, as many are sent one at a time, and the one for which it closes the
  /// channel again is the culprit. No confirm is awaited.
  @Test(arguments: [AMQPError.Kind.channelClosed(code: 406), .connectionClosed(code: 541)])
  func unexplained(kind: AMQPError.Kind) throws {
    let error = AMQPError(kind, "INTERNAL_ERROR")
    var sendWindow = window()
    #expect(sendWindow.culprit(of: error, at: start) == .unknown(6))
    var next = SendWindow(window: 100, refusals: sendWindow.refusals, probes: 6, isProven: true)
    next.add(batch((20..<30).map { ($0, "k", 10) }))
    #expect(sendAll(&next) == [20])
    #expect(next.needsMarker)
    #expect(!next.hasNext)
    next.markerAnswered()
    #expect(sendAll(&next) == [21])
    next.markerAnswered()
    #expect(sendAll(&next) == [22])
    #expect(next.resolve(2, multiple: false) == [21])
    #expect(sendAll(&next) == [], "that was another's confirm")
    #expect(next.resolve(3, multiple: false) == [22])
    #expect(sendAll(&next) == [23])
    #expect(next.culprit(of: error, at: start) == .one(23), "20 is unconfirmed, and was accepted")
  }

  /// After as many messages as were unconfirmed, sending is normal again: the culprit was not among them.
  @Test func oneAtATimeOnlyForThatMany() {
    var sendWindow = SendWindow(window: 100, probes: 3, isProven: true)
    sendWindow.add(batch((1..<10).map { ($0, "k", 10) }))
    for number in 1...3 as ClosedRange<UInt64> {
      #expect(sendAll(&sendWindow) == [number])
      sendWindow.markerAnswered()
    }
    #expect(sendAll(&sendWindow) == Array(4..<10))
  }

  @Test func theOnlyUnconfirmedMessageIsTheCulprit() {
    var sendWindow = window()
    #expect(sendWindow.resolve(8, multiple: true) == [4, 5, 6, 7, 8])
    #expect(sendWindow.culprit(of: AMQPError(.connectionClosed(code: 541), ""), at: start) == .one(9))
  }

  /// A message to an exchange other than the essential one.
  @Test(arguments: [
    AMQPError(.channelClosed(code: 404), "NOT_FOUND - no exchange 'e' in vhost '/'"),
    AMQPError(.channelClosed(code: 403), "ACCESS_REFUSED - access to exchange 'e' in vhost '/' refused for user 'pw'"),
  ])
  func anotherExchange(error: AMQPError) {
    for (essential, culprit) in [("events", SendWindow.Culprit.one(1)), ("e", .none)] {
      var sendWindow = SendWindow(window: 100, refusals: Refusals(essentialExchange: essential), isProven: true)
      sendWindow.add(batch([(1, "k", 10), (2, "k", 10)]))
      #expect(sendAll(&sendWindow) == [1, 2])
      let found = sendWindow.culprit(of: error, at: start)
      #expect(found == culprit)
      #expect(sendWindow.refusals.current.count == (essential == "e" ? 0 : 1))
    }
  }

  /// Errors that do not concern a message have no culprit.
  @Test(arguments: [
    AMQPError(.connectionLost, "reset"), AMQPError(.connectionClosed(code: 320), "CONNECTION_FORCED - shutdown"),
    AMQPError(.channelClosed(code: 404), "NOT_FOUND - no exchange 'events' in vhost '/'"),
    AMQPError(.channelClosed(code: 403), "ACCESS_REFUSED - access to exchange 'events' in vhost '/' refused for user"),
    AMQPError(.channelClosed(code: 406), "PRECONDITION_FAILED - user_id property set to 'a' but authenticated user"),
  ])
  func others(error: AMQPError) {
    var sendWindow = window()
    #expect(sendWindow.culprit(of: error, at: start) == .none)
    #expect(sendWindow.refusals.current.isEmpty)
  }
}
