package import AMQP
import Foundation

/// Connects to the configured broker and publishes commands, like any client.
extension BrokerSettings {
  /// Connects to the first available broker.
  ///
  /// - Parameter maximumBodyBytes: Longer bodies are discarded; nil for the default.
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

  /// A command for the event bus, with a unique `message_id`, which makes it idempotent.
  package func command(_ name: String, _ body: [UInt8]) -> Message {
    var properties = Properties()
    properties.contentType = "application/json"
    properties.deliveryMode = .persistent
    properties.messageID = Array(UUID().uuidString.lowercased().utf8)
    return Message(exchange: names.eventBus, routingKey: name, mandatory: true, properties: properties, body: body)
  }

  /// Publishes a command or question in the name of the connection's login. The broker validates the name, so that the service
  /// knows an operator by it, and who may use targets.
  package func publish(_ message: Message, on connection: Connection) throws(AMQPError) {
    var message = message
    if sendsUserID { message.properties.userID = connection.server.user }
    try connection.publish(message)
  }
}
