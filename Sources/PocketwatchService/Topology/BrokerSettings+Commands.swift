package import AMQP
import Foundation

/// Being a client of the broker that the settings name, and publishing a command as any client does.
extension BrokerSettings {
  /// Connects to the first broker of the list that answers.
  ///
  /// - Parameter maximumBodyBytes: The longest message that is taken; nil for the connection's default.
  package func connect(as purpose: String, maximumBodyBytes: Int? = nil) throws(AMQPError) -> Connection {
    var options = connectionOptions(name: "\(names.stack) \(purpose)")
    if let maximumBodyBytes { options.maximumBodyBytes = maximumBodyBytes }
    var last = AMQPError(.unreachable, "no broker is configured")
    for url in urlFile?.current() ?? urls {
      do throws(AMQPError) {
        return try Connection(to: url, options: options)
      } catch {
        last = error
      }
    }
    throw last
  }

  /// A command for the event bus, with a `message_id` of its own, by which a repeat of it is known.
  package func command(_ name: String, _ body: [UInt8]) -> Message {
    var properties = Properties()
    properties.contentType = "application/json"
    properties.deliveryMode = .persistent
    properties.messageID = Array(UUID().uuidString.lowercased().utf8)
    return Message(exchange: names.eventBus, routingKey: name, mandatory: true, properties: properties, body: body)
  }
}
