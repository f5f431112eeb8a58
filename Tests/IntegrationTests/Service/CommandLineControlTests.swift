import AMQP
import Foundation
import PocketwatchService
import Testing

/// The commands that control a schedule, from the command line.
@Suite(
  "The command line: control", .serialized, .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct CommandLineControlTests {
  @Test("a schedule started with --paused ticks only when triggered, until it is updated and resumed")
  func control() async throws {
    try await ServiceProcess.running { service, bus in
      let started = try await service.command([
        "start", "--id", "c", "--cron", "* * * * * *", "--tag", "t", "--payload", "[1.0]", "--paused",
      ])
      #expect(started.code == 0)
      #expect(started.output.hasSuffix("started    c  cron * * * * * *  paused"), "\(started)")

      let triggered = try await service.command(["trigger", "--id", "c", "--payload", #"{"by": "hand"}"#])
      #expect(triggered.code == 0)
      #expect(triggered.output.contains("triggered  c  c@"))
      #expect(triggered.output.hasSuffix("/trigger  paused"), "\(triggered)")
      let tick = try await bus.next("Schedule Tick", of: "c")
      #expect(tick.payload == #"{"by": "hand"}"#)
      #expect(tick.body.contains(#""trigger":"manual""#), "\(tick)")

      let stale = try await service.command(["update", "--id", "c", "--limit", "1", "--if-revision", "7"])
      #expect(stale.code == 1)
      #expect(stale.output.contains("rejected   c  Schedule Update  field ifRevision  "), "\(stale)")
      let updated = try await service.command([
        "update", "--id", "c", "--limit", "1", "--group", "g", "--remove", "tags", "--if-revision", "1",
      ])
      #expect(updated.code == 0)
      #expect(updated.output.hasSuffix("updated    c  changed limit, group, tags  paused  revision 2"), "\(updated)")

      // At least one of its slots has passed by then.
      try await bus.settle()
      #expect(bus.ticks(of: "c").count == 1)
      let resumed = try await service.command(["resume", "--id", "c", "--reason", "done", "--json"])
      #expect(resumed.code == 0)
      #expect(resumed.output.contains(#""DetailType":"Schedule Resumed""#), "\(resumed)")
      #expect(resumed.output.contains(#""reason":"done""#))
      let last = try await bus.next("Schedule Tick", of: "c")
      #expect(last.detail.counter == 0 && last.payload == "[1.0]", "\(last)")
      _ = try await bus.next("Schedule Stopped", of: "c")

      let gone = try await service.command(["pause", "--id", "c"])
      #expect(gone.code == 1)
      #expect(gone.output.contains("no such schedule"), "\(gone)")
    }
  }

  @Test("watch shows a pause that ends by itself, and triggered ticks")
  func watchControl() async throws {
    try await ServiceProcess.running { service, bus in
      let watcher = try await service.watcher(["--id", "w"], bus)
      try await bus.start(#""id": "w", "every": "1h""#)
      let paused = try await service.command(["pause", "--id", "w", "--for", "1s", "--reason", "moving house"])
      #expect(paused.code == 0)
      #expect(paused.output.hasSuffix("ticks 0  moving house"), "\(paused)")
      _ = try await watcher.output.next("the pause") { $0.contains("paused     w  until ") }
      let resumed = try await watcher.output.next("its end") { $0.contains("resumed    w  next ") }
      #expect(!resumed.contains("missed"))
      let triggered = try await service.command(["trigger", "--id", "w"])
      #expect(triggered.code == 0, "\(triggered)")
      _ = try await watcher.output.next("the trigger") { $0.hasSuffix(triggered.output) }
      _ = try await watcher.output.next("the tick") { $0.contains("tick       w  trigger manual  slot ") }
      let updated = try await service.command(["update", "--id", "w", "--every", "2h"])
      #expect(updated.code == 0)
      _ = try await watcher.output.next("the update") { $0.contains("updated    w  changed every  next ") }
      watcher.send(signal: SIGKILL)
    }
  }

  @Test("show prints what is known of a schedule")
  func show() async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.start(
        #""id": "s", "cron": "* * * * * *", "timezone": "Europe/Rome", "tags": ["a", "b"], "payload": [1.0]"#)
      _ = try await bus.next("Schedule Tick", of: "s")
      let paused = try await service.command(["pause", "--id", "s", "--reason", "moving house"])
      #expect(paused.code == 0)
      let shown = try await service.command(["show", "s"])
      #expect(shown.code == 0, "\(shown)")
      let lines = shown.output.split(separator: "\n")
      #expect(lines.first == "id               s")
      #expect(lines.contains { $0.hasPrefix("state            paused  since 20") && $0.hasSuffix("  moving house") })
      #expect(lines.contains("timing           cron * * * * * * Europe/Rome"))
      #expect(lines.contains("tags             a, b") && lines.contains("payload          [1]"))
      #expect(lines.contains { $0.hasPrefix("ticks            sent ") })
      #expect(lines.contains { $0.hasPrefix("last tick        slot 20") && $0.contains("  confirmed in ") })
      #expect(lines.last == "next slots       none", "it is paused: \(shown)")

      let resumed = try await service.command(["resume", "--id", "s"])
      #expect(resumed.code == 0)
      let json = try await service.command(["show", "s", "--next", "2", "--json"])
      #expect(json.code == 0)
      #expect(json.output.contains(#""DetailType":"Schedule Described""#) && json.output.contains(#""payload":[1.0]"#))
      let next = try #require(json.output.firstMatch(of: /"next":\[([^\]]*)\]/)).output.1
      #expect(next.split(separator: ",").count == 2, "\(json)")

      let unknown = try await service.command(["show", "nobody"])
      #expect(unknown.code == 1)
      #expect(unknown.output.contains("rejected   nobody  Schedule Describe  field id  no such schedule"), "\(unknown)")
    }
  }

  @Test("list prints the schedules that match, as a table or as JSON")
  func list() async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.startAll((0..<30).map { "l-\($0 + 10)" }, #""every": "1h", "group": "g""#)
      try await bus.start(#""id": "other", "at": "2030-01-01T00:00:00Z", "tags": ["t"]"#)
      let paused = try await service.command(["pause", "--id", "l-12"])
      #expect(paused.code == 0)
      let all = try await service.command(["list"])
      #expect(all.code == 0, "\(all)")
      let lines = all.output.split(separator: "\n")
      #expect(lines.count == 32 && lines[0].hasPrefix("ID     STATE "))
      #expect(lines.contains { $0.hasPrefix("l-12   paused  -  ") && $0.contains("every 1h  ") })
      #expect(lines.last?.hasPrefix("other  active  2030-01-01T00:00:00.000Z  at 2030-01-01T00:00:00.000Z  -") == true)

      let json = try await service.command(["list", "--group", "g", "--prefix", "l-1", "--limit", "7", "--json"])
      #expect(json.code == 0)
      let schedules = json.output.split(separator: "\n")
      #expect(schedules.count == 7 && schedules[0].contains(#""id":"l-10""#), "\(json)")
      #expect(schedules.allSatisfy { $0.hasPrefix("{") && $0.contains(#""group":"g""#) })
      let tagged = try await service.command(["list", "--tag", "t", "--state", "active", "--json"])
      #expect(tagged.output.contains(#""id":"other""#) && !tagged.output.contains("\n"), "\(tagged)")
      let wrong = try await service.command(["list", "--state", "asleep"])
      #expect(wrong.code == 1 && wrong.output.contains("field state"), "\(wrong)")
    }
  }

  @Test("a group is paused, resumed and stopped; without a terminal only with --yes")
  func batch() async throws {
    try await ServiceProcess.prepared { service, bus in
      service.environment["POCKETWATCH_OPERATORS"] = try bus.withConnection { $0.server.user }
      try await service.start()
      try await bus.startAll(["b-1", "b-2", "b-3"], #""every": "1h", "group": "g""#)
      for id in ["b-1", "b-2", "b-3"] { _ = try await bus.next("Schedule Started", of: id) }
      let asking = try await service.command(["pause", "--group", "g"])
      #expect(asking.code == 64 && asking.complaint.contains("pass --yes"), "\(asking)")
      let paused = try await service.command(["pause", "--group", "g", "--reason", "night", "--yes"])
      #expect(paused.code == 0, "\(paused)")
      #expect(paused.output.hasSuffix("batch      -  Schedule Pause  group g  matched 3  changed 3"), "\(paused)")
      let resumed = try await service.command(["resume", "--prefix", "b-", "--yes", "--json"])
      #expect(resumed.code == 0 && resumed.output.contains(#""DetailType":"Schedule Batch Done""#), "\(resumed)")
      let many = try await service.command(["stop", "--prefix", "b-", "--max", "2", "--yes"])
      #expect(many.code == 1 && many.output.contains("more than 2 schedules match"), "\(many)")
      let stopped = try await service.command(["stop", "--group", "g", "--yes"])
      #expect(stopped.code == 0 && stopped.output.hasSuffix("matched 3  changed 3"), "\(stopped)")
    }
  }

  /// Runs `body` with schedules b-1 and b-2.
  private func withTwoSchedules(_ body: (ServiceProcess, ServiceBus) async throws -> Void) async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.startAll(["b-1", "b-2"], #""every": "1h""#)
      for id in ["b-1", "b-2"] { _ = try await bus.next("Schedule Started", of: id) }
      try await body(service, bus)
    }
  }

  @Test(
    "at a terminal it asks before several schedules are changed, and names their number",
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/script"), "needs script (bsdutils)"))
  func asks() async throws {
    try await withTwoSchedules { service, bus in
      /// Runs it in a terminal of its own, in which this answer was typed.
      func pause(_ prefix: String, answer: String) async throws -> (code: Int32, output: String, complaint: String) {
        let command = "\(TestEnvironment.binary) pause --prefix \(prefix) --timeout 50"
        return try await Program.run(
          "/bin/sh", ["-c", "printf '\(answer)\\n' | script -qec '\(command)' /dev/null"],
          environment: service.environment)
      }
      for answer in ["n", ""] {
        let refused = try await pause("b-", answer: answer)
        #expect(refused.code == 1 && refused.output.contains("Pause 2 schedules of prefix b-? [y/N]"), "\(refused)")
        #expect(refused.output.contains("nothing was done"))
      }
      let single = try await pause("b-1", answer: "n")
      #expect(single.code == 0 && single.output.contains("matched 1  changed 1"), "one is not asked about: \(single)")
      let paused = try await pause("b-", answer: "y")
      #expect(paused.code == 0 && paused.output.contains("matched 2  changed 1"), "\(paused)")
    }
  }

  @Test(
    "if more match than were confirmed, nothing is done",
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/script"), "needs script (bsdutils)"))
  func moreThanConfirmed() async throws {
    try await withTwoSchedules { service, bus in
      let (terminal, answer) = (service.folder.appending(path: "terminal"), service.folder.appending(path: "answer"))
      let command = "\(TestEnvironment.binary) stop --prefix b- --timeout 50"
      let typing = "while [ ! -e \(answer.path()) ]; do sleep 0.1; done; echo y"
      let asking = try Program(
        "/bin/sh", ["-c", "(\(typing)) | script -qefc '\(command)' \(terminal.path())"],
        environment: service.environment)
      func shown() -> String { (try? String(contentsOf: terminal, encoding: .utf8)) ?? "" }
      try await until("the question") { shown().contains("Stop 2 schedules of prefix b-? [y/N]") }
      try await bus.start(#""id": "b-3", "every": "1h""#)
      _ = try await bus.next("Schedule Started", of: "b-3")
      try Data().write(to: answer)
      #expect(try await asking.exitCode() == 1)
      #expect(shown().contains("more than 2 schedules match, so nothing was done"), "\(shown())")
    }
  }

  @Test("without the exchange of the replies, show exits with 69 and says what to import")
  func noReplies() async throws {
    try await ServiceProcess.running { service, bus in
      try bus.withConnection { try $0.deleteExchange(bus.names.replyExchange) }
      let shown = try await service.command(["show", "s"])
      #expect(shown.code == 69)
      #expect(shown.complaint.contains("\(bus.names.replyExchange) is missing"), "\(shown)")
      #expect(shown.complaint.contains("pocketwatch definitions"))
    }
  }

  @Test("a login needs the rights to its own commands and their outcomes only")
  func rights() async throws {
    try await ServiceProcess.running { service, bus in
      let broker = PrivateBroker(folder: URL(filePath: TestEnvironment.brokerFolder))
      let user = "\(service.names.stack)-client"
      try await broker.ctl("add_user", user, "correct-horse")
      try await broker.ctl("set_permissions", user, ".*", ".*", ".*")
      let right = "^Schedule (Start|Stop|Started|Stopped|Rejected)$"
      try await broker.ctl("set_topic_permissions", user, bus.names.eventBus, right, right)
      var login = try #require(URLComponents(string: TestEnvironment.brokerURL))
      (login.user, login.password) = (user, "correct-horse")
      service.environment["POCKETWATCH_AMQP_URL"] = login.string  // of commands; the service has its own already

      let started = try await service.command(["start", "--id", "r", "--every", "1h"])
      #expect(started.code == 0, "\(started)")
      let paused = try await service.command(["pause", "--id", "r"])
      #expect(paused.code == 69)
      #expect(paused.complaint.contains("Schedule Pause"), "\(paused)")
      let stopped = try await service.command(["stop", "--id", "r"])
      #expect(stopped.code == 0, "\(stopped)")
      try await broker.ctl("delete_user", user)
    }
  }
}
