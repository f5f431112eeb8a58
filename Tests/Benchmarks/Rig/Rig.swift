import AMQP
import Foundation

/// The programs of a measurement, their broker, and a folder for their files.
struct Rig {
  var url: String
  /// The broker's process.
  var broker: ProcessFigures
  /// Where `ops/broker` keeps it.
  var brokerFolder: String
  var service: URL
  var client: URL
  var folder: URL

  /// The exchange that carries all events.
  static let exchange = "events"
  static let commandQueue = "pocketwatch.commands"
  /// The service's default, used for the bare publisher, too.
  static let window = 512

  /// The path of a new database.
  func database(_ name: String) throws -> URL {
    let path = folder.appending(path: "\(name).sqlite")
    for suffix in ["", "-wal", "-shm", "-journal", ".lock"] {
      try? FileManager.default.removeItem(atPath: path.path() + suffix)
    }
    return path
  }

  /// Makes the broker's quorum queues begin a new log. They do so automatically after each 512 MB, which costs a measurement a
  /// sixth of its rate.
  func rollLog() throws {
    _ = try ChildProcess("broker", URL(filePath: "ops/broker"), ["roll-log", brokerFolder], folder: folder)
      .lastLine(atMost: 60)
  }

  /// The number of commands that are left in the queue.
  func commandsLeft() throws -> Int {
    let broker = try Connection(
      to: BrokerURL(url), options: ConnectionOptions(brokers: [BrokerURL(url)], connectionName: "bench"))
    defer { broker.close() }
    guard let queue = try broker.checkQueue(Self.commandQueue) else { throw BenchError("there is no command queue") }
    return queue.messages
  }
}
