import ArgumentParser
import Scheduling

/// The event that a schedule publishes instead of its tick.
struct TargetOptions: ParsableArguments {
  @Option(
    name: .customLong("target-exchange"),
    help: "Publish an event of your own instead of the tick, to this exchange. [the event bus]")
  var exchange: String?

  @Option(name: .customLong("target-key"), help: "Its routing key. [its type]")
  var routingKey: String?

  @Option(name: .customLong("target-type"), help: "Its DetailType.")
  var detailType: String?

  @Option(name: .customLong("target-source"), help: "Its Source, if the operator allows that one.")
  var source: String?

  @Option(
    name: .customLong("target-body"), help: "event (the payload in an envelope) or payload (its bytes). [event]",
    completion: .values(of: Target.Body.self))
  var body: String?

  @Option(name: .customLong("target-content-type"), help: "Of a body that is the payload. [application/json]")
  var contentType: String?

  @Option(
    name: .customLong("target-header"),
    help: ArgumentHelp("A header of it, a text. Repeat the option for several.", valueName: "name=text"),
    transform: HeaderText.init)
  var headers: [HeaderText] = []

  @Option(name: .customLong("target-expiration"), help: "Milliseconds after which queues drop it.")
  var expiration: String?

  @Option(name: .customLong("target-priority"), help: "Its priority, 0 to 255.")
  var priority: Int64?

  func addFields(to detail: inout EventDetail) {
    var target = EventDetail()
    target.add("exchange", text: exchange)
    target.add("routingKey", text: routingKey)
    target.add("detailType", text: detailType)
    target.add("source", text: source)
    target.add("body", text: body)
    target.add("contentType", text: contentType)
    var members = EventDetail()
    for header in headers { members.add(header.name, text: header.text) }
    target.add("headers", members)
    target.add("expiration", text: expiration)
    target.add("priority", number: priority)
    detail.add("target", target)
  }
}

/// A header as typed: its name before the first equals sign.
struct HeaderText {
  let name: String
  let text: String

  init(_ argument: String) throws {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty else { throw ValidationError("must be a name, = and a text") }
    (name, text) = (String(parts[0]), String(parts[1]))
  }
}
