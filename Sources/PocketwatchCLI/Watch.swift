import AMQP
import ArgumentParser
import Foundation
import PocketwatchService
import Scheduling

struct Watch: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show ticks and outcomes as they happen, until Ctrl-C.",
    discussion:
      "Uses its own queue, so that other consumers are not affected. Reconnects when the connection is lost.")

  @OptionGroup var broker: BrokerOptions

  @Option(help: "Show only this schedule.")
  var id: String?

  @Flag(help: "Print events as JSON, one per line.")
  var json = false

  @Option(help: "Exit after this many events.")
  var count: Int?

  func run() async throws {
    let settings = try await broker.broker()
    var remaining = count ?? .max
    var backoff = Backoff()
    var random = SystemRandomNumberGenerator()
    while remaining > 0 {
      var connected: ContinuousClock.Instant?
      do {
        let connection = try settings.connect(as: "watch", maximumBodyBytes: BusClient.maximumEventBytes)
        defer { connection.close() }
        connected = .now
        try show(connection, settings.names, &remaining)
      } catch let error as AMQPError {
        complain("\(error); reconnecting")
        let uptime = connected.map { .now - $0 } ?? .zero
        try await Task.sleep(for: backoff.pause(floor: error.retryFloor, uptime: uptime, using: &random))
      }
    }
  }

  private func show(_ connection: Connection, _ names: TopologyNames, _ remaining: inout Int) throws {
    let queue = try connection.declareClientQueue(names)
    try connection.bindQueue(queue, to: names.eventBus, events: EventName.published)
    try connection.consume(queue, prefetch: 1000, acknowledges: false)
    while remaining > 0 {
      guard case .delivery(let delivery) = try connection.nextEvent(timeout: .seconds(1)) else { continue }
      let event = ReceivedEvent(delivery)
      guard id == nil || event.id == id else { continue }
      try printLine(json ? event.json : event.line(coloured: isatty(STDOUT_FILENO) == 1))
      remaining -= 1
    }
  }
}
