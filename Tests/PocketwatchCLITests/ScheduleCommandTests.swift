import ArgumentParser
import Foundation
import Recurrence
import Scheduling
import Testing

@testable import EventBus
@testable import PocketwatchCLI

@Suite("Commands on schedules")
struct ScheduleCommandTests {
  private static let definition = [
    "--limit", "3", "--timezone", "Europe/Rome", "--start-date", "2030-01-01T00:00:00Z", "--end-date",
    "2031-01-01T00:00:00Z", "--jitter", "1s", "--misfire-policy", "skip", "--catchup-window", "2h", "--payload",
    #"[1.0, "x"]"#, "--group", "g", "--tag", "x", "--tag", "y z", "--description", #"a "b""#,
    "--target-exchange", "x", "--target-key", "k", "--target-type", "A", "--target-source", "s", "--target-body",
    "event", "--target-header", "h\"=a=b", "--target-expiration", "5", "--target-priority", "1",
  ]
  private static let definitionFields = #"""
    "limit":3,"timezone":"Europe/Rome","startDate":"2030-01-01T00:00:00Z","endDate":"2031-01-01T00:00:00Z",\#
    "jitter":"1s","misfirePolicy":"skip","catchupWindow":"2h","payload":[1.0, "x"],"group":"g","tags":["x","y z"],\#
    "description":"a \"b\"","target":{"exchange":"x","routingKey":"k","detailType":"A","source":"s","body":"event",\#
    "headers":{"h\"":"a=b"},"expiration":"5","priority":1}
    """#

  /// Each option at least once, and the members of the Detail behind the id.
  private static let table: [(arguments: [String], fields: String)] = [
    (
      ["start", "--cron", "0 9 * * *"] + definition + ["--if-exists", "keep", "--paused"],
      #""cron":"0 9 * * *",\#(definitionFields),"ifExists":"keep","paused":true"#
    ),
    (["start", "--duration", "1h", "--no-paused"], #""duration":"1h","paused":false"#),
    (["start", "--at", "2030-01-01T00:00:00Z", "--payload", "null"], #""at":"2030-01-01T00:00:00Z","payload":null"#),
    (
      [
        "start", "--at", "2030-01-01T00:00:00Z", "--target-key", "k", "--target-body", "payload",
        "--target-content-type", "a/b",
      ],
      #""at":"2030-01-01T00:00:00Z","target":{"routingKey":"k","body":"payload","contentType":"a/b"}"#
    ),
    (["stop", "--reason", "r"], #""reason":"r""#),
    (["pause", "--until", "2030-01-01T00:00:00Z", "--reason", "r"], #""until":"2030-01-01T00:00:00Z","reason":"r""#),
    (["pause", "--for", "2h"], #""for":"2h""#),
    (["resume", "--misfire-policy", "fireAll", "--reason", "r"], #""misfirePolicy":"fireAll","reason":"r""#),
    (["trigger", "--payload", "{}"], #""payload":{}"#),
    (["update", "--every", "1h"] + definition, #""every":"1h",\#(definitionFields)"#),
    (
      ["update", "--remove", "tags", "--remove", "limit", "--if-revision", "7"],
      #""remove":["tags","limit"],"ifRevision":7"#
    ),
  ]

  @Test("an option is a field of the event", arguments: table)
  func fields(arguments: [String], fields: String) throws {
    let event = try Self.event(of: arguments)
    #expect(event.body.hasSuffix(#""DetailType":"\#(event.name.rawValue)","Detail":{"id":"a",\#(fields)}}"#))
  }

  @Test("the service accepts each of them, and ignores none", arguments: table.map(\.arguments))
  func accepted(arguments: [String]) throws {
    let event = try Self.event(of: arguments)
    let message = IncomingMessage(
      routingKey: Array(event.name.rawValue.utf8), messageID: [1], body: Array(event.body.utf8))
    let decoder = CommandDecoder(zones: { _ in .utc }, secret: SipHash.Key(1, 2))
    guard case .command(let command, _) = decoder.decode(message).content else {
      Issue.record("rejected: \(event.body)")
      return
    }
    switch command {
    case .start(let start): #expect(start.ignored.isEmpty)
    case .update(let update): #expect(update.ignored.isEmpty)
    case .stop, .pause, .resume, .trigger: break
    }
  }

  @Test("each field of a command has an option")
  func completeness() throws {
    let given =
      try Self.table.flatMap { row -> [String] in
        let object = try JSONSerialization.jsonObject(with: Data(Self.event(of: row.arguments).body.utf8))
        return ((object as? [String: Any])?["Detail"] as? [String: Any])?.keys.sorted() ?? []
      } + Self.selections.flatMap { $0.fields.keys }
    let ofQuestions: Set<DetailFields.Name> = [.next, .state, .tag]
    let known = Set(DetailFields.Name.allCases).subtracting(ofQuestions).map(\.rawValue)
    #expect(Set(given).sorted() == known.sorted())
  }

  @Test(
    "what cannot be sent is wrong usage",
    arguments: [
      (["trigger", "--payload", "{} {}"], "--payload"), (["update", "--payload", #"1,"limit":7"#], "byte 2"),
      (["start", "--payload", ""], "--payload"), (["start", "--target-header", "x"], "--target-header"),
      (["start", "--target-header", "=x"], "--target-header"), (["update", "--if-revision", "last"], "--if-revision"),
      (["update", "--if-exists", "keep"], "--if-exists"), (["update", "--paused"], "--paused"),
    ])
  func usage(arguments: [String], mention: String) {
    let error = #expect(throws: (any Error).self) { try Self.event(of: arguments) }
    guard let error else { return }
    #expect(Pocketwatch.exitCode(for: error) == .validationFailure)
    #expect(Pocketwatch.fullMessage(for: error).contains(mention))
  }

  @Test("completion offers the values of an option")
  func completion() {
    let script = Pocketwatch.completionScript(for: .bash)
    for values in [MisfirePolicy.allCases.map(\.rawValue), IfExists.allCases.map(\.rawValue)] {
      #expect(values.allSatisfy(script.contains))
    }
    #expect(script.contains("--if-revision") && script.contains("catchupWindow"))
  }

  private static let selections: [(arguments: [String], fields: [String: String], json: String)] = [
    (["stop", "--group", "g", "--reason", "r"], ["group": "g", "reason": "r"], #""group":"g","reason":"r""#),
    (["pause", "--prefix", "p:", "--max", "5", "--yes"], ["prefix": "p:", "max": "5"], #""prefix":"p:","max":5"#),
    (["resume", "--group", "g", "--max", "100000"], ["group": "g", "max": "100000"], #""group":"g","max":100000"#),
  ]

  @Test("a group or a prefix instead of an id", arguments: selections.indices)
  func selection(index: Int) throws {
    let (arguments, _, json) = Self.selections[index]
    let command = try #require(try Pocketwatch.parseAsRoot(arguments) as? any SelectiveCommand)
    let name = type(of: command).event
    let body = command.detail.event(name)
    #expect(body.hasSuffix(#""Detail":{\#(json)}}"#), "\(body)")
    let decoder = CommandDecoder(zones: { _ in .utc }, secret: SipHash.Key(1, 2))
    let message = IncomingMessage(routingKey: Array(name.rawValue.utf8), messageID: [1], body: Array(body.utf8))
    guard case .batch = decoder.decode(message).content else {
      Issue.record("rejected: \(body)")
      return
    }
  }

  @Test(
    "exactly one selection",
    arguments: [
      ["stop"], ["stop", "--id", "a", "--group", "g"], ["pause", "--group", "g", "--prefix", "p"],
      ["resume", "--id", "a", "--yes"], ["stop", "--id", "a", "--max", "5"],
    ])
  func wrongSelection(arguments: [String]) {
    let error = #expect(throws: (any Error).self) { try Pocketwatch.parseAsRoot(arguments) }
    #expect(error.map { Pocketwatch.exitCode(for: $0) } == .validationFailure)
  }

  /// The event that a command with the id `a` publishes.
  private static func event(of arguments: [String]) throws -> (name: EventName, body: String) {
    switch try Pocketwatch.parseAsRoot(arguments + ["--id", "a"]) {
    case let command as any ScheduleCommand:
      let name = type(of: command).event
      return (name, command.detail.event(name))
    case let command as any SelectiveCommand:
      let name = type(of: command).event
      return (name, command.detail.event(name))
    default: throw CleanExit.message("not a command on a schedule")
    }
  }
}
