import AMQP
import Testing

/// `Connection` against a real broker.
@Suite(.enabled(if: AMQPTest.url != nil, "\(AMQPTest.missing)"), .timeLimit(.minutes(2)))
struct AMQPConnectionTests {
  @Test func carriesAllPropertiesAndHeaderTypes() async throws {
    var sent = Properties()
    sent.contentType = "application/json"
    sent.contentEncoding = "identity"
    sent.deliveryMode = .persistent
    sent.priority = 3
    sent.correlationID = [0, 0xFF, 0x80]
    sent.replyTo = [0x72, 0xFF, 0x80]
    sent.expiration = "60000"
    sent.messageID = Array(repeating: 0xFE, count: 255)
    sent.timestamp = 1_790_000_000
    sent.type = "Schedule Tick"
    sent.userID = try AMQPTest.options().brokers[0].user
    sent.appID = "pocketwatch"
    sent.headers = [
      "boolean": true, "int8": .int8(-8), "uint8": .uint8(200), "int16": .int16(-300), "uint16": .uint16(60_000),
      "int32": .int32(-70_000), "uint32": .uint32(4_000_000_000), "int64": .int64(.min), "float": .float(1.5),
      "double": .double(-2.25), "decimal": .decimal(scale: 2, value: 314), "text": "é",
      "noText": .longString([0xFF, 0]),
      "bytes": .bytes([1, 0, 2]), "timestamp": .timestamp(1), "void": .void, "empty": .table([:]),
      "table": .table(["nested": .array([.table(["deep": "x"]), .void, .int32(7)])]), "": "nameless",
    ]
    try await AMQPTest.withQueue { queue, admin in
      try admin.publish(
        Message(exchange: "", routingKey: queue, mandatory: false, properties: sent, body: [0, 1, 2]))
      try admin.consume(queue, prefetch: 0)
      var delivery = try nextDelivery(on: admin)
      // RabbitMQ 4 sorts them.
      delivery.properties.headers.fields.sort { $0.name < $1.name }
      sent.headers.fields.sort { $0.name < $1.name }
      #expect(delivery.properties == sent)
      #expect(delivery.body == [0, 1, 2])
      #expect(delivery.routingKey == Array(queue.utf8))
      #expect(delivery.exchange == "")
      #expect(!delivery.redelivered)
    }
  }

  @Test(arguments: [0, 1, 131_063, 131_064, 131_065, 300_000])
  func joinsBodiesOfManyFrames(size: Int) async throws {
    let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try await AMQPTest.withQueue { queue, admin in
      let connection = try AMQPTest.connect { $0.maximumBodyBytes = 300_000 }
      try admin.publish(Message(exchange: "", routingKey: queue, body: body))
      try connection.consume(queue, prefetch: 0)
      let delivery = try nextDelivery(on: connection)
      #expect(delivery.body.elementsEqual(body))
      #expect(delivery.bodySize == UInt64(size))
    }
  }

  @Test func throwsAwayTooLongBodiesOnly() async throws {
    try await AMQPTest.withQueue { queue, admin in
      let connection = try AMQPTest.connect { $0.maximumBodyBytes = 1000 }
      for size in [1001, 1_000_000, 1000] {
        try admin.publish(Message(exchange: "", routingKey: queue, body: Array(repeating: 1, count: size)))
      }
      try connection.consume(queue, prefetch: 0)
      let deliveries = try (0..<3).map { _ in try nextDelivery(on: connection) }
      #expect(deliveries.map(\.bodySize) == [1001, 1_000_000, 1000])
      #expect(deliveries.map(\.body.count) == [0, 0, 1000])
      #expect(deliveries.map(\.isOversized) == [true, true, false])
      try connection.reject(deliveries[0].tag)
      try connection.acknowledge(deliveries[2].tag, multiple: true)
      try connection.closeChannel()
      #expect(try admin.checkQueue(queue)?.messages == 0)
    }
  }

  @Test func returnsComeBeforeTheirConfirm() throws {
    let connection = try AMQPTest.connect()
    try connection.enableConfirms()
    #expect(try connection.publish(AMQPTest.message("lost", to: AMQPTest.uniqueName())) == 1)
    guard case .returned(let message) = try connection.nextEvent() else {
      throw Unexpected("no return")
    }
    #expect(message.code == 312)
    #expect(message.text == "NO_ROUTE")
    #expect(message.properties.messageID == Array("lost".utf8))
    guard case .confirmed(1, _, accepted: true) = try connection.nextEvent() else {
      throw Unexpected("no confirm")
    }
  }

  /// Headers that fill the frame to its last byte pass. With one byte more the message is refused here, and the connection stays.
  @Test func refusesWhatDoesNotFitAndGoesOn() async throws {
    try await AMQPTest.withQueue { queue, connection in
      let room = connection.server.frameMax - 22
      var message = Message(exchange: "", routingKey: queue, body: [])
      try connection.enableConfirms()
      message.properties.headers = ["h": .bytes(Array(repeating: 7, count: room - 11 + 1))]
      #expect(throws: AMQPError.self) { try connection.publish(message) }
      message.properties.headers = ["h": .bytes(Array(repeating: 7, count: room - 11))]
      #expect(try connection.publish(message) == 1)
      message.properties.type = String(repeating: "x", count: 256)
      #expect(throws: AMQPError.self) { try connection.publish(message) }
      #expect(try connection.publish(AMQPTest.message("good", to: queue)) == 2)
      var confirmed: UInt64 = 0
      while confirmed < 2, case .confirmed(let sequence, _, true) = try connection.nextEvent() {
        confirmed = sequence
      }
      #expect(confirmed == 2)
      try connection.consume(queue, prefetch: 0)
      #expect(try nextDelivery(on: connection).properties.headers["h"] == message.properties.headers["h"])
    }
  }

  /// Headers nested too deep are cut off, without a trap or a lost connection.
  @Test func cutsDeeplyNestedHeaders() async throws {
    var value = FieldValue.int32(1)
    for _ in 0..<100 { value = .array([value]) }
    try await AMQPTest.withQueue { queue, admin in
      var message = AMQPTest.message("nested", to: queue)
      message.properties.headers = ["nest": value, "after": "it"]
      try admin.publish(message)
      try admin.consume(queue, prefetch: 0)
      let headers = try nextDelivery(on: admin).properties.headers
      var (depth, current) = (0, headers["nest"])
      while case .array(let values) = current { (depth, current) = (depth + 1, values.first) }
      #expect(depth == 32)
      #expect(current == .void)
      #expect(headers["after"]?.text == "it")
    }
  }

  @Test func looksForExchangesAndQueues() async throws {
    try await AMQPTest.withQueue { queue, connection in
      #expect(try !connection.checkExchange(AMQPTest.uniqueName()))
      #expect(try connection.checkQueue(AMQPTest.uniqueName()) == nil)
      #expect(try connection.checkExchange("amq.topic"))
      let empty = try #require(try connection.checkQueue(queue))
      #expect(empty.name == queue)
      #expect(empty.messages == 0)
      #expect(empty.consumers == 0)
      try AMQPTest.fill(queue, ["a", "b"])
      #expect(try connection.checkQueue(queue)?.messages == 2)
      let consuming = try AMQPTest.connect()
      try consuming.consume(queue, prefetch: 1)
      #expect(try connection.checkQueue(queue)?.consumers == 1)
    }
  }

  @Test func bindsAndRoutesByTopic() async throws {
    try await AMQPTest.withQueue { queue, connection in
      let exchange = AMQPTest.uniqueName()
      try connection.declareExchange(exchange, type: "topic")
      try connection.bindQueue(queue, to: exchange, routingKey: "Schedule *")
      // A word with a space is not a pattern: only the same key matches.
      try connection.bindQueue(queue, to: exchange, routingKey: "Schedule Tick")
      try connection.publish(Message(exchange: exchange, routingKey: "Schedule Tick", body: [1]))
      try connection.publish(Message(exchange: exchange, routingKey: "Schedule Stop", body: [2]))
      try connection.consume(queue, prefetch: 0)
      #expect(try nextDelivery(on: connection).body == [1])
      try connection.deleteExchange(exchange)
      #expect(try !connection.checkExchange(exchange))
    }
  }

  @Test func aRefusedTagCostsTheChannelOnly() async throws {
    try await AMQPTest.withQueue { queue, connection in
      try connection.acknowledge(99)
      let error = try #require(throws: AMQPError.self) { try connection.nextEvent() }
      #expect(error.kind == .channelClosed(code: 406))
      #expect(error.text.contains("unknown delivery tag 99"))
      #expect(!connection.isChannelOpen)
      try connection.openChannel()
      #expect(try connection.checkQueue(queue) != nil)
    }
  }

  @Test func aDeclarationThatDiffersNamesTheCause() async throws {
    try await AMQPTest.withQueue { queue, connection in
      let error = try #require(throws: AMQPError.self) { try connection.declareQueue(queue, durable: false) }
      #expect(error.kind == .channelClosed(code: 406))
      #expect(error.text.contains("inequivalent arg 'durable'"))
    }
  }

  @Test func hearsThatItsQueueIsDeleted() async throws {
    try await AMQPTest.withQueue { queue, admin in
      let connection = try AMQPTest.connect()
      let tag = try connection.consume(queue, prefetch: 1)
      try admin.deleteQueue(queue)
      guard case .consumerCancelled(tag) = try connection.nextEvent() else {
        throw Unexpected("no cancellation")
      }
    }
  }

  @Test func saysWhyItCannotConnect() throws {
    func failure(_ change: (inout BrokerURL) -> Void) throws -> AMQPError {
      var options = try AMQPTest.options()
      change(&options.brokers[0])
      let secret = options.brokers[0].password
      let error = try #require(throws: AMQPError.self) { try Connection(to: options.brokers[0], options: options) }
      #expect(!"\(error)".contains(secret))
      return error
    }
    let password = try failure { $0.password = "s3cr3t-but-wrong" }
    #expect(password.kind == .refusedLogin)
    #expect(password.text.contains("ACCESS_REFUSED"))
    let virtualHost = try failure { $0.virtualHost = "no such vhost" }
    #expect(virtualHost.kind == .refusedLogin)
    #expect(virtualHost.text.contains("no such vhost"))
    let port = try failure { $0.port = 1 }
    #expect(port.kind == .unreachable)
    #expect(port.text.contains("refused"))
    #expect(try failure { $0.host = "no-such-host.invalid" }.kind == .unreachable)
    #expect(try failure { $0.usesTLS = true }.kind == .invalidConfiguration)
  }

  /// Every later call throws the same error; calling the library with a dead socket would abort.
  @Test func staysClosed() throws {
    let connection = try AMQPTest.connect()
    connection.close()
    connection.close()
    let error = try #require(throws: AMQPError.self) { try connection.nextEvent(timeout: .zero) }
    #expect(error.kind == .connectionLost)
    #expect(throws: error) { try connection.publish(AMQPTest.message("x", to: "x")) }
    #expect(throws: error) { try connection.openChannel() }
    #expect(throws: error) { try connection.checkQueue("x") }
    #expect(!connection.isWritable)
  }

  @Test func aSignalEndsTheWait() throws {
    let options = try AMQPTest.options()
    let wakeUp = try EventFD()
    let connection = try Connection(to: options.brokers[0], options: options, wakeUp: wakeUp)
    wakeUp.signal()
    #expect(try connection.nextEvent(timeout: .seconds(60)) == nil)
  }

  @Test(.enabled(if: AMQPTest.broker != nil, "POCKETWATCH_TEST_BROKER_DIR names the broker's folder; run ops/test"))
  func isListedUnderItsNameAndVersion() async throws {
    let name = AMQPTest.uniqueName()
    let connection = try AMQPTest.connect {
      $0.connectionName = name
      $0.version = "1.2.3"
      $0.heartbeatSeconds = 58  // it is not served while rabbitmqctl runs, which takes long on a busy machine
    }
    #expect(connection.server.product == "RabbitMQ")
    #expect(connection.server.heartbeatSeconds == 58)
    let listed = String(
      decoding: try await #require(AMQPTest.broker).ctl("list_connections", "timeout", "client_properties"),
      as: UTF8.self)
    let line = try #require(listed.split(separator: "\n").first { $0.contains(name) })
    for part in [
      "58\t", #""product","pocketwatch""#, #""version","1.2.3""#, #""consumer_cancel_notify",true"#,
      #""connection.blocked",true"#,
    ] {
      #expect(line.contains(part))
    }
  }

  private func nextDelivery(on connection: Connection) throws -> Delivery {
    while let event = try connection.nextEvent() {
      if case .delivery(let delivery) = event { return delivery }
    }
    throw Unexpected("no delivery within \(AMQPTest.patience)")
  }
}
