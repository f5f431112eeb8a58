import Foundation
import PocketwatchService
import Testing

/// The output and exit codes of the command line.
@Suite("The command line", .serialized, .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct CommandLineTests {
  @Test("start and stop print the outcome and exit accordingly")
  func startAndStop() async throws {
    try await ServiceProcess.running { service, bus in
      let started = try await service.command([
        "start", "--id", "c", "--cron", "0 0 1 1 *", "--limit", "3", "--payload", "[1.0]",
      ])
      #expect(started.code == 0, "\(started)")
      #expect(started.output.contains("started    c  cron 0 0 1 1 *  limit 3  next "))
      let event = try await bus.next("Schedule Started")
      #expect(event.payload == "[1.0]")
      #expect(event.source == "com.\(service.names.stack)")

      let json = try await service.command(["start", "--id", "c", "--every", "1h", "--json"])
      #expect(json.code == 0)
      #expect(json.output == (try await bus.next("Schedule Started").body))

      let rejected = try await service.command(["start", "--id", "c", "--cron", "61 * * * *"])
      #expect(rejected.code == 1)
      #expect(rejected.output.contains("rejected   c  Schedule Start  field cron  minute: 61"), "\(rejected)")

      let stopped = try await service.command(["stop", "--id", "c", "--reason", "no longer needed"])
      #expect(stopped.code == 0)
      #expect(stopped.output.contains("stopped    c  no longer needed  ticks 0"))
      let again = try await service.command(["stop", "--id", "c"])
      #expect(again.code == 1)
      #expect(again.output.contains("no such schedule"))
    }
  }

  @Test("foreign text cannot move the terminal's cursor")
  func escapes() async throws {
    try await ServiceProcess.running { service, bus in
      let started = try await service.command(
        ["start", "--id", "a\u{202e}b", "--duration", "1h", "--payload", #""\u001b[2J""#])
      #expect(started.output.contains(#""a\u202eb""#), "\(started)")
      let rejected = try await service.command(["start", "--id", "a\u{1b}[2J", "--duration", "1h"])
      #expect(rejected.code == 1)
      #expect(!rejected.output.contains("\u{1b}"))
    }
  }

  @Test("without an outcome it exits with 69 and says what to check")
  func noAnswer() async throws {
    let nobody = try ServiceProcess.make(broker: "amqp://u:p@127.0.0.1:1")
    let unreachable = try await nobody.command(["stop", "--id", "a"])
    #expect(unreachable.code == 69)
    #expect(unreachable.complaint.contains("127.0.0.1:1"))
    #expect(!unreachable.complaint.contains(":p@"))

    try await ServiceProcess.prepared { service, bus in
      let unbound = try await service.command(["start", "--id", "a", "--duration", "1h"])
      #expect(unbound.code == 69)
      #expect(unbound.complaint.contains("no queue is bound"), "\(unbound)")
      try await service.start()
      #expect(try await service.stop() == 0)
      let waiting = try await service.command(["start", "--id", "a", "--duration", "1h", "--timeout", "0.5"])
      #expect(waiting.code == 69)
      #expect(waiting.complaint.contains("pocketwatch serve"), "\(waiting)")
      try await service.start()
      _ = try await bus.next("Schedule Started", of: "a")
    }
  }

  @Test("watch prints events, as lines or as JSON, of one schedule if asked")
  func watch() async throws {
    try await ServiceProcess.running { service, bus in
      let all = try await service.watcher([], bus)
      let one = try await service.watcher(["--id", "w", "--json"], bus)
      let counted = try await service.watcher(["--id", "w", "--count", "1"], bus)
      #expect(try await counted.exitCode() == 0)
      #expect(counted.output.all.count == 1)

      try await bus.start(#""id": "other", "duration": "1h""#)
      try await bus.start(#""id": "w", "cron": "* * * * * *", "limit": 1, "payload": {"b": 1}"#)
      _ = try await one.output.next("the end of w") { $0.contains("Schedule Stopped") }
      _ = try await all.output.next("the end of w") { $0.contains("stopped    w  Count Limit Reached  ticks 1") }
      let tick = try await all.output.next("the tick of w") { $0.contains("tick       w") }
      _ = try await all.output.next("the other") { $0.contains("started    other  duration 1h") }
      _ = try await bus.next("Schedule Stopped", of: "w")
      let events = bus.events.all.filter { $0.detail.id == "w" && $0.name != "Schedule Rejected" }
      #expect(one.output.all.filter { !$0.contains("Schedule Rejected") } == events.map(\.body))
      #expect(tick.contains("tick       w  #0  slot \(events[1].detail.scheduledTime ?? "") (+"), "\(tick)")
      #expect(tick.hasSuffix(#"last  payload {"b":1}"#), "\(tick)")
      for watcher in [all, one] { watcher.send(signal: SIGKILL) }
    }
  }

  @Test("inspect lists the schedules of a database that no service holds")
  func inspect() async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.start(
        #""id": "i\u202e", "cron": "0 0 1 1 *", "timezone": "Europe/Rome", "payload": [1.0,"# + "\n2]")
      try await bus.start(#""id": "done", "duration": "1s""#)
      _ = try await bus.next("Schedule Tick")
      let held = try await Program.run(TestEnvironment.binary, ["inspect", service.database])
      #expect(held.code == 3, "\(held)")
      #expect(try await service.stop() == 0)

      let before = try Data(contentsOf: URL(filePath: service.database))
      let table = try await Program.run(TestEnvironment.binary, ["inspect", service.database])
      #expect(table.code == 0, "\(table)")
      let lines = table.output.split(separator: "\n")
      #expect(lines.count == 3)
      #expect(lines[0].hasPrefix("STATE"))
      #expect(lines.contains { $0.hasPrefix("ended") && $0.contains("duration 1s") && $0.hasSuffix("done") })
      #expect(
        lines.contains {
          $0.hasPrefix("live") && $0.contains("cron 0 0 1 1 * Europe/Rome") && $0.hasSuffix(#""i\u202e""#)
        })
      let json = try await Program.run(TestEnvironment.binary, ["inspect", "--json", service.database])
      #expect(json.code == 0)
      #expect(json.output.split(separator: "\n").count == 2)
      #expect(json.output.contains(#""payload":[1.0, 2]"#), "\(json)")
      #expect(try Data(contentsOf: URL(filePath: service.database)) == before)
      let full = try await shell(#""$0" inspect "$POCKETWATCH_DATABASE" >/dev/full"#, on: service)
      #expect(full.code == 74 && full.complaint.contains("No space left"), "\(full)")
    }
    let missing = try await Program.run(TestEnvironment.binary, ["inspect", "/nowhere"])
    #expect(missing.code == 5)
    #expect(missing.complaint.contains("/nowhere"))
  }

  @Test(
    "output that cannot be written ends the command, with a message unless its reader is gone",
    arguments: [
      "next '* * * * * *' --count 10000", "explain '* * * * *'", "definitions", "--help", "serve --help", "--version",
      "--generate-completion-script bash", "doctor --json",
    ])
  func unwritable(command: String) async throws {
    let service = try ServiceProcess.make(broker: "amqp://127.0.0.1:1")
    service.environment["POCKETWATCH_HTTP"] = "off"
    func ended(_ redirection: String) async throws -> Result {
      try await shell(#""$0" \#(command) \#(redirection)"#, on: service)
    }
    let full = try await ended(">/dev/full")
    #expect(full.code == 74 && full.complaint.contains("standard output cannot be written: No space left"), "\(full)")
    let closed = try await ended(">&-")
    #expect(closed.code == 74 && closed.complaint.contains("standard output cannot be written: Bad file"), "\(closed)")
    let gone = try await ended(#"| true; echo "${PIPESTATUS[0]}""#)
    #expect(gone.complaint == "" && ["0", "2", "141"].contains(gone.output), "it may have come first: \(gone)")
    let both = try await ended(">&- 2>&-")
    #expect(both.code == 74)
    await service.dispose()
  }

  @Test("a closed pipe ends a command without a message")
  func brokenPipe() async throws {
    let service = try ServiceProcess.make(broker: "amqp://127.0.0.1:1")
    // The pipe's reader is gone before the command writes: it waits for the end of its input first.
    let status = try await shell(
      #"exec 3> >(:); sleep 0.3; "$0" next '* * * * * *' --count 10000 >&3; echo $?"#, on: service)
    #expect(status.output == "141" && status.complaint.isEmpty, "\(status)")
    await service.dispose()
  }

  private func shell(_ script: String, on service: ServiceProcess) async throws -> Result {
    try await Program.run("/bin/bash", ["-c", script, TestEnvironment.binary], environment: service.environment)
  }

  @Test("next prints slots, in UTC and by the wall clock")
  func next() async throws {
    let plain = try await run("next", "30 8 * * MON-FRI", "--from", "2026-11-20T09:00:00Z", "--count", "2")
    #expect(plain == (0, "2026-11-23T08:30:00.000Z\n2026-11-24T08:30:00.000Z", ""))
    let zone = try await run(
      "next", "30 2 * * *", "--from", "2026-03-28T12:00:00+01:00", "--count", "2", "--timezone", "Europe/Rome")
    #expect(
      zone
        == (
          0,
          """
          2026-03-29T01:00:00.000Z  2026-03-29T03:00:00.000+02:00
          2026-03-30T00:30:00.000Z  2026-03-30T02:30:00.000+02:00
          """, ""
        ), "2:30 does not exist on the 29th")
    #expect(try await run("next", "* * * * *").output.split(separator: "\n").count == 5)
  }

  @Test("next - answers each line of JSON with a line")
  func nextLines() async throws {
    let table: [(question: String, answer: String)] = [
      (
        #"{"cron": "30 2 * * *", "timezone": "Europe/Rome", "from": "2026-03-28T12:00:00Z", "count": 2}"#,
        #"{"next":["2026-03-29T01:00:00Z","2026-03-30T00:30:00Z"]}"#
      ),
      (#"{"cron": "0 0 1 1 1 * 2027", "from": "2028-01-01T00:00:00Z"}"#, #"{"next":[]}"#),
      (#"{"duration": "1h 30m"}"#, #"{"milliseconds":5400000}"#),
      (
        #"{"cron": "60 * * * *"}"#,
        #"{"error":"minute: 60 is not within 0-59 (character 1)","field":"minute"}"#
      ),
      ("no JSON", #"{"error":"the line is not a JSON object with cron or duration as text","field":"body"}"#),
    ]
    let questions = table.map(\.question).joined(separator: "\n")
    let pipe = #"printf '%s\n' "$1" | "$0" next -"#
    let result = try await Program.run("/bin/sh", ["-c", pipe, TestEnvironment.binary, questions])
    #expect(result.code == 0)
    #expect(result.output.split(separator: "\n").map(String.init) == table.map(\.answer))
  }

  @Test("explain describes an expression, and what clock changes do to it")
  func explain() async throws {
    #expect(try await run("explain", "30 * * * *").output == "At 30 minutes past every hour")
    let lines = try await run("explain", "30 2 * * *", "--timezone", "Europe/Rome").output.split(separator: "\n")
    #expect(lines.first == "At 02:30 every day")
    #expect(lines.contains { $0.contains("forward by 60 minutes: skipped times fire once") })
    #expect(lines.contains { $0.contains("back by 60 minutes: repeated times fire the first time only") })
    let numbered = try await run("explain", "0 8 * * 2").output.split(separator: "\n")
    #expect(numbered.first == "At 08:00, on Tuesday")
    #expect(numbered.last?.contains("0 and 7 are Sunday, 1 is Monday") == true)
    let refused = try await run("explain", "60 * * * *")
    #expect(refused.code == 1)
    #expect(refused.complaint.contains("minute: 60 is not within 0-59 (character 1)"))
  }

  @Test(
    "wrong usage exits with 64 and names the error",
    arguments: [
      (["frobnicate"], "frobnicate"), (["next", "* * * * *", "--count", "0"], "--count"),
      (["definitions", "--stack", "X"], "--stack"), (["start"], "--id"),
      (["start", "--id", "a", "--limit", "many"], "--limit"), (["stop", "--id", "a", "--timeout", "0"], "--timeout"),
      (["inspect"], "file"), (["backup"], "file"), (["pause"], "--id"), (["update", "--id"], "--id"),
      (["start", "--id", "a", "--every", "1h", "--payload", #"1,"limit":7"#], "byte 2"),
      (["start", "--id", "a", "--every", "1h", "--payload", "{} {}"], "--payload"),
      (["start", "--id", "a", "--every", "1h", "--payload", ""], "--payload"),
    ])
  func usage(arguments: [String], mention: String) async throws {
    let result = try await Program.run(TestEnvironment.binary, arguments)
    #expect(result.code == 64)
    #expect(result.complaint.contains(mention), "\(result)")
    #expect(result.output.isEmpty)
  }

  @Test(
    "an invalid expression exits with 1 and the reason",
    arguments: [
      (["61 * * * *"], "minute: 61"), (["0 0 30 2 *"], "February"), (["* * * * *", "--from", "today"], "from: "),
      (["* * * * *", "--timezone", "Mars"], "'Mars'"),
    ])
  func badExpression(arguments: [String], mention: String) async throws {
    let result = try await Program.run(TestEnvironment.binary, ["next"] + arguments)
    #expect(result.code == 1 && result.output.isEmpty)
    #expect(result.complaint.hasPrefix("pocketwatch: ") && result.complaint.contains(mention), "\(result)")
  }

  @Test("definitions prints the repository's file, and the same with other names")
  func definitions() async throws {
    let plain = try await Program.run(TestEnvironment.binary, ["definitions"])
    let file = try String(contentsOf: PrivateBroker.root.appending(path: "definitions.json"), encoding: .utf8)
    #expect(plain.output + "\n" == file)
    let other = try await run("definitions", "--stack", "a-b", "--event-bus", "bus \"1\"", "--vhost", "v/1")
    #expect(other.output.contains(#""name": "a-b.commands""#))
    #expect(other.output.contains(#""pattern": "^a-b\\.commands$""#))
    #expect(other.output.contains(#""source": "bus \"1\"""#))
    #expect(!other.output.contains("pocketwatch"))
  }

  @Test("help and version")
  func help() async throws {
    let version = try await run("--version")
    #expect(version.code == 0)
    #expect(version.output.hasPrefix("pocketwatch \(Version.current) "))
    #expect(version.output.wholeMatch(of: /pocketwatch \d+\.\d+\.\d+ \(time zones \d{4}[a-z]+\)/) != nil, "\(version)")
    let help = try await run("--help")
    #expect(help.code == 0)
    let commands = [
      "serve", "start", "update", "pause", "resume", "trigger", "stop", "watch", "next", "definitions", "inspect",
      "backup", "doctor",
    ]
    for command in commands {
      #expect(help.output.contains("\n  \(command) "))
      let own = try await run(command, "--help")
      #expect(own.code == 0 && own.output.contains("OVERVIEW: "))
    }
    let serve = try await run("serve", "--help")
    for setting in Setting.allCases {
      #expect(serve.output.contains(setting.environmentVariable) && serve.output.contains("(\(setting.key))"))
    }
    let script = try await run("--generate-completion-script", "bash")
    #expect(script.code == 0 && script.output.contains("pocketwatch"))
  }

  private typealias Result = (code: Int32, output: String, complaint: String)

  private func run(_ arguments: String...) async throws -> Result {
    try await Program.run(TestEnvironment.binary, arguments)
  }
}
