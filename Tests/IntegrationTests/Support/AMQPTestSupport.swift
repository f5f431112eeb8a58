import AMQP
import Foundation

/// The broker that all AMQP tests share, and unique names on it.
enum AMQPTest {
  static let url = ProcessInfo.processInfo.environment["POCKETWATCH_TEST_AMQP_URL"]
  /// The time limit for what is immediate on an idle machine. It is reached only when something is wrong.
  static let patience: Duration = .seconds(60)
  static let missing = "POCKETWATCH_TEST_AMQP_URL names a broker to test with; run ops/test"

  /// The shared broker's own tools, if available.
  static let broker: PrivateBroker? = ProcessInfo.processInfo.environment["POCKETWATCH_TEST_BROKER_DIR"].flatMap {
    PrivateBroker.script == nil ? nil : PrivateBroker(folder: URL(filePath: $0))
  }

  static func options(_ change: (inout ConnectionOptions) -> Void = { _ in }) throws -> ConnectionOptions {
    var options = ConnectionOptions(
      brokers: try BrokerURL.list(url ?? ""), connectionName: "amqp-test", rpcTimeout: patience)
    change(&options)
    return options
  }

  static func connect(_ change: (inout ConnectionOptions) -> Void = { _ in }) throws -> Connection {
    let options = try options(change)
    return try Connection(to: options.brokers[0], options: options)
  }

  static func uniqueName() -> String { "amqp-test.\(UUID().uuidString)" }

  /// Runs `body` with a new durable queue, and deletes it.
  static func withQueue<Result>(
    _ arguments: Table = Table(), _ body: (_ queue: String, _ admin: Connection) async throws -> Result
  ) async throws -> Result {
    let admin = try connect()
    let queue = uniqueName()
    try admin.declareQueue(queue, arguments: arguments)
    defer { try? connect().deleteQueue(queue) }
    return try await body(queue, admin)
  }

  /// A message for a queue, by the default exchange.
  static func message(_ text: String, to queue: String) -> Message {
    var properties = Properties()
    properties.messageID = Array(text.utf8)
    properties.deliveryMode = .persistent
    return Message(
      exchange: "", routingKey: queue, mandatory: true, properties: properties, body: Array(text.utf8))
  }

  /// Publishes texts to a queue and waits until the broker has confirmed them all.
  /// With `padding`, each body has that many bytes.
  static func fill(_ queue: String, _ texts: [String], padding: Int = 0) throws {
    let connection = try connect()
    defer { connection.close() }
    try connection.enableConfirms()
    var confirms = Confirms<String>()
    for text in texts {
      var message = message(text, to: queue)
      message.body += Array(repeating: UInt8(ascii: " "), count: max(0, padding - message.body.count))
      try connection.publish(message)
      confirms.published(text)
    }
    while confirms.count > 0 {
      guard case .confirmed(let sequence, let multiple, true) = try connection.nextEvent() else {
        throw Unexpected("no confirm for \(confirms.count) of \(texts.count) messages")
      }
      _ = confirms.resolve(sequence, multiple: multiple)
    }
  }
}

extension MessageBatch {
  /// Messages under these numbers, for frames of RabbitMQ's usual size.
  init(_ messages: some Sequence<(UInt64, Message)>) {
    self.init(frameMax: 131_072) { batch in
      for (number, message) in messages { batch.add(message, number: number) }
    }
  }
}

extension Connection {
  /// The next event, immediate on an idle machine; `nil` only when something is wrong.
  func nextEvent() throws -> Event? { try nextEvent(timeout: AMQPTest.patience) }
}

/// Something else happened than a test waited for.
struct Unexpected: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// The events of a publisher or consumer, to be awaited one after the other.
final class EventQueue<Event: Sendable>: Sendable {
  private let stream: AsyncStream<Event>
  private let continuation: AsyncStream<Event>.Continuation

  init() { (stream, continuation) = AsyncStream.makeStream() }

  func add(_ event: Event) { continuation.yield(event) }

  func next() async throws -> Event {
    for await event in stream { return event }
    throw Unexpected("the test was cancelled while it waited for an event")
  }

  /// The first value that `select` finds; events before it are skipped.
  func first<Value>(_ select: (Event) throws -> Value?) async throws -> Value {
    while true {
      if let value = try select(try await next()) { return value }
    }
  }
}

extension EventQueue<Publisher.Event> {
  /// Waits for the next connection and returns its epoch.
  func up() async throws -> UInt64 {
    try await first { if case .up(let epoch, _) = $0 { epoch } else { nil } }
  }

  func down() async throws -> AMQPError {
    try await first { if case .down(let error, _) = $0 { error } else { nil } }
  }

  /// Collects confirmed numbers until there are `count`.
  func acked(_ count: Int) async throws -> [UInt64] {
    var numbers: [UInt64] = []
    while numbers.count < count {
      numbers += try await first { if case .acked(let numbers) = $0 { numbers } else { nil } }
    }
    return numbers
  }
}

extension EventQueue<Consumer.Event> {
  func up() async throws -> UInt64 {
    try await first { if case .up(let epoch, _) = $0 { epoch } else { nil } }
  }

  func down() async throws -> AMQPError {
    try await first { if case .down(let error, _) = $0 { error } else { nil } }
  }

  func deliveries() async throws -> [Delivery] {
    try await first { if case .deliveries(let deliveries, _) = $0 { deliveries } else { nil } }
  }
}

extension Delivery {
  var text: String { String(decoding: body, as: UTF8.self) }
}
