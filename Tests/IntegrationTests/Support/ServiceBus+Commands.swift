import AMQP
import PocketwatchService
import Scheduling

extension ServiceBus {
  /// A command as a client sends it, by default without any property.
  func message(_ key: String, _ body: [UInt8], _ properties: Properties = Properties()) -> Message {
    Message(exchange: names.eventBus, routingKey: key, mandatory: true, properties: properties, body: body)
  }

  /// Publishes a command with this body.
  func send(_ key: String, _ body: String, _ properties: Properties = Properties()) async throws {
    try await send([message(key, Array(body.utf8), properties)])
  }

  /// Publishes a Schedule Start with these members of its Detail.
  func start(_ detail: String, messageID: String? = nil) async throws {
    try await send("Schedule Start", Self.event("Schedule Start", detail), .named(messageID))
  }

  /// Publishes a Schedule Start for each of these ids at once, with the id as message_id and the same other members.
  func startAll(_ ids: [String], _ members: String) async throws {
    try await send(
      ids.map { id in
        let event = Self.event("Schedule Start", #""id": "\#(id)", \#(members)"#)
        return message("Schedule Start", Array(event.utf8), .named(id))
      })
  }

  /// Publishes a Schedule Stop.
  func stop(_ id: String, messageID: String? = nil) async throws {
    try await send("Schedule Stop", Self.event("Schedule Stop", #""id": "\#(id)""#), .named(messageID))
  }

  /// Publishes a command with these members of its Detail.
  func command(_ name: EventName, _ detail: String, messageID: String? = nil) async throws {
    try await send(name.rawValue, Self.event(name.rawValue, detail), .named(messageID))
  }

  static func event(_ name: String, _ detail: String) -> String {
    #"{"Source": "test", "DetailType": "\#(name)", "Detail": {\#(detail)}}"#
  }

  /// The next event of this name, and of this schedule if given.
  func next(_ name: String, of id: String? = nil, within limit: Duration = .seconds(60)) async throws -> ServiceEvent {
    try await events.next("\(name) of \(id ?? "any schedule")", within: limit) { event in
      event.name == name && (id == nil || event.detail.id == id)
    }
  }

  /// All ticks of a schedule so far, with duplicates.
  func ticks(of id: String) -> [ServiceEvent] { events.all.filter { $0.isTick && $0.detail.id == id } }

  /// The names of all events of a schedule so far.
  func story(of id: String) -> [String] { events.all.filter { $0.detail.id == id }.map(\.name) }

  /// Sends a command behind all earlier ones and waits for its outcome: an event that is missing by then never comes.
  func settle() async throws {
    let id = "settle-\(events.all.count)"
    try await start(#""id": "\#(id)", "duration": "1s""#)
    _ = try await next("Schedule Tick", of: id)
  }
}

extension Properties {
  /// The properties of a command with this message_id, if any.
  static func named(_ messageID: String?) -> Properties {
    var properties = Properties()
    properties.messageID = messageID.map { Array($0.utf8) }
    return properties
  }
}
