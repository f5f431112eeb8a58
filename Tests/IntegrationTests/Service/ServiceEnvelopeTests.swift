import AMQP
import Testing

/// P2: the forms of a command, what comes back unchanged, and the order of commands.
@Suite("The service: commands", .serialized, .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServiceEnvelopeTests {
  private static let forms = [
    #"{"Source": "test", "DetailType": "Schedule Start", "Detail": {"id": "f", "duration": "1h", "payload": [1.0]}}"#,
    #"{"DetailType": "Schedule Start", "Detail": "{\"id\": \"f\", \"duration\": \"1h\", \"payload\": [1.0]}"}"#,
    #"{"source": "test", "detail-type": "Schedule Start", "time": null, "detail": {"id": "f", "duration": "1h", "payload": [1.0]}}"#,
    #"{"detail-type": "Schedule Start", "version": "0", "region": "eu", "detail": "{\"id\":\"f\",\"duration\":\"1h\",\"payload\":[1.0]}"}"#,
  ]

  @Test("both forms of the envelope and Detail as a string start the same schedule")
  func forms() async throws {
    try await ServiceProcess.running { service, bus in
      for (index, form) in Self.forms.enumerated() {
        try await bus.send("Schedule Start", form)
        let started = try await bus.next("Schedule Started", of: "f")
        #expect(started.detail.duration == "1h", "\(form)")
        #expect(started.payload == "[1.0]", "\(form)")
        #expect(started.detail.replaced == (index == 0 ? nil : true))
        #expect(started.detail.ignored == nil)
      }
      try await bus.send(
        "Schedule Stop",
        #"{"source": "x", "detail-type": "Schedule Stop", "detail": "{\"id\": \"f\", \"reason\": null}"}"#)
      #expect(try await bus.next("Schedule Stopped", of: "f").detail.reason == "stopped")
    }
  }

  private static let payloads = [
    "1.0", "1e2", "-0.0", "123456789012345678901234567890", #"{"b": 1, "a": 2, "b": 3}"#, #""\/\u00e9é😀""#,
    "[ 1 ,\t2 ]", "[\n  1,\n  2\n]", "null", "true", #"{"": {}}"#,
    #"{"payload": "}}"}"#, #""\u0000\u001f""#, String(repeating: "[", count: 29) + String(repeating: "]", count: 29),
  ]

  @Test("a payload comes back byte for byte, in every event")
  func payload() async throws {
    try await ServiceProcess.running { service, bus in
      for (index, payload) in Self.payloads.enumerated() {
        let id = "p\(index)"
        try await bus.start(#""payload": \#(payload)  , "id": "\#(id)", "cron": "* * * * * *", "limit": 1"#)
        for name in ["Schedule Started", "Schedule Tick", "Schedule Stopped"] {
          #expect(try await bus.next(name, of: id).payload == payload, "\(name)")
        }
      }
      // Detail as a string: unescaped once.
      try await bus.send(
        "Schedule Start",
        #"{"DetailType": "Schedule Start", "Detail": "{\"id\": \"s\", \"duration\": \"1s\", \"payload\": \"\\u00e9\\/ \u00e9\"}"}"#
      )
      #expect(try await bus.next("Schedule Tick", of: "s").payload == #""\u00e9\/ é""#)
      #expect(try await bus.next("Schedule Started", of: "s").payload == #""\u00e9\/ é""#)
    }
  }

  @Test("unknown fields are named and dropped")
  func ignored() async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.start(#""zone": "x", "id": "i", "duration": "1s", "limt": 3, "Payload": 1, "limit": null"#)
      #expect(try await bus.next("Schedule Started").detail.ignored == ["zone", "limt", "Payload"])
      let tick = try await bus.next("Schedule Tick")
      #expect(tick.detail.ignored == nil && tick.detail.limit == nil)
      #expect(!tick.body.contains("limt"))
    }
  }

  @Test("ids are bytes: composed and decomposed letters are two schedules")
  func ids() async throws {
    try await ServiceProcess.running { service, bus in
      let ids = ["caf\u{e9}", "cafe\u{301}", String(repeating: "😀", count: 50), #"quote\" back\\slash {} \u0041"#]
      for id in ids { try await bus.start(#""id": "\#(id)", "duration": "1h""#) }
      for id in ids {
        let started = try await bus.next("Schedule Started")
        #expect(started.detail.replaced == nil, "\(id)")
        #expect(started.properties.headers["schedule-id"] != nil)
      }
      let bytes = bus.events.all.map { Array(($0.detail.id ?? "").utf8) }
      #expect(bytes[0] == Array("caf\u{e9}".utf8))
      #expect(bytes[1] == Array("cafe\u{301}".utf8))
      #expect(bytes[3] == Array(#"quote" back\slash {} A"#.utf8))
    }
  }

  @Test("commands for one id take effect in the order sent, however many there are")
  func order() async throws {
    try await ServiceProcess.running { service, bus in
      let start = bus.message(
        "Schedule Start", Array(ServiceBus.event("Schedule Start", #""id": "o", "duration": "1h""#).utf8))
      let stop = bus.message("Schedule Stop", Array(ServiceBus.event("Schedule Stop", #""id": "o""#).utf8))
      try await bus.send(Array(repeating: [start, start, stop, stop], count: 100).flatMap { $0 })
      for _ in 0..<400 { _ = try await bus.events.next("an answer") }
      let answers = bus.events.all.map { "\($0.name)\($0.detail.replaced == true ? " again" : "")" }
      let round = ["Schedule Started", "Schedule Started again", "Schedule Stopped", "Schedule Rejected"]
      #expect(answers == Array(repeating: round, count: 100).flatMap { $0 })
    }
  }
}
