import Foundation
import Glibc
import PocketwatchService
import Testing

/// P26: `pocketwatch backup` of the real service, and restoring the copy.
@Suite(
  "The service: backup", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServiceBackupTests {
  private static let token = "0123456789abcdef-token"

  /// Runs `body` with a service that serves pages, and the environment of a command for it.
  private func running(
    _ body: (ServiceProcess, ServiceBus, _ environment: [String: String]) async throws -> Void
  ) async throws {
    try await ServiceProcess.prepared { service, bus in
      let file = service.folder.appending(path: "token")
      try Data((Self.token + "\n").utf8).write(to: file)
      service.environment["POCKETWATCH_HTTP"] = "127.0.0.1:0"
      service.environment["POCKETWATCH_HTTP_TOKEN_FILE"] = file.path()
      try await service.start()
      var environment = service.environment
      environment["POCKETWATCH_HTTP"] = try await service.httpAddress()
      try await body(service, bus, environment)
    }
  }

  private typealias Result = (code: Int32, output: String, complaint: String)

  /// The service may notice a little later that the client of the backup before has left: tries again until then.
  private func backUp(
    to file: String, _ environment: [String: String], _ options: [String] = []
  ) async throws -> Result {
    let end = ContinuousClock.now + .seconds(30)
    while true {
      let result = try await backUpOnce(to: file, environment, options)
      guard result.complaint.contains(Self.isBusy), ContinuousClock.now < end else { return result }
    }
  }

  private func backUpOnce(
    to file: String, _ environment: [String: String], _ options: [String] = []
  ) async throws -> Result {
    try await Program.run(TestEnvironment.binary, ["backup", file] + options, environment: environment)
  }

  private static let isBusy = "another backup is in progress"

  /// A curl that has begun to store a copy; started again while it is refused because of the client before.
  private func beginCopy(to file: String, _ options: [String]) async throws -> Program {
    func hasBegun() -> Bool {
      (try? Data(contentsOf: URL(filePath: file)))?.starts(with: "SQLite format 3".utf8) ?? false
    }
    let end = ContinuousClock.now + .seconds(30)
    while true {
      let curl = try Program("/usr/bin/curl", options + ["--output", file])
      try await until("the beginning of a slow copy") { hasBegun() || curl.hasEnded }
      if hasBegun() { return curl }
      let code = try await curl.exitCode()
      guard ContinuousClock.now < end else { throw Unexpected("no slow copy, curl ended with \(code)") }
    }
  }

  @Test("under load: everything acknowledged before is in it; restored, it continues, and no tick is early")
  func underLoad() async throws {
    try await running { service, bus, environment in
      let before = (0..<200).map { "before-\($0)" }
      try await bus.startAll(before, #""cron": "* * * * * *", "payload": {"x": 1.0}"#)
      for id in before { _ = try await bus.next("Schedule Started", of: id) }
      let file = service.folder.appending(path: "backup.sqlite").path()
      let (code, output, complaint) = try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          for batch in 0..<20 {
            try await bus.startAll((0..<50).map { "during-\(batch)-\($0)" }, #""every": "1s""#)
          }
        }
        let result = try await backUp(to: file, environment)
        try await group.waitForAll()
        return result
      }
      #expect(code == 0 && complaint.isEmpty, "\(complaint)")
      let line = /: (\d+) schedules, (\d+) bytes, of stack (\S+), database (\S+)$/
      let counted = try #require(output.firstMatch(of: line)).output
      let attributes = try FileManager.default.attributesOfItem(atPath: file)
      #expect(attributes[.posixPermissions] as? Int == 0o600)
      #expect(attributes[.size] as? Int == Int(counted.2))
      #expect(String(counted.3) == service.names.stack && String(counted.4) == service.database)
      #expect(!FileManager.default.fileExists(atPath: file + ".partial"))
      let listed = try await Program.run(TestEnvironment.binary, ["inspect", file, "--json"])
      let lines = listed.output.split(separator: "\n")
      #expect(lines.count == Int(counted.1))
      for id in before {
        let isListed = listed.output.contains(#""id":"\#(id)","#)
        #expect(isListed, "\(id)")
      }

      try await bus.stop("before-0")
      _ = try await bus.next("Schedule Stopped", of: "before-0")
      try await bus.settle()  // the Stop is acknowledged now, and is not redelivered
      try await service.kill()
      for suffix in ["", "-wal"] { try? FileManager.default.removeItem(atPath: service.database + suffix) }
      try FileManager.default.moveItem(atPath: file, toPath: service.database)
      let heard = bus.events.all.count
      try await service.start()
      try await until("a tick of each that is in the backup") {
        Set(bus.events.all.dropFirst(heard).filter(\.isTick).compactMap(\.detail.id)).isSuperset(of: before)
      }
      let early = bus.events.all.filter { ($0.lateness ?? 0) < 0 }
      #expect(early.isEmpty)
      #expect(try await service.stop() == 0)
      #expect(try service.databaseComplaints() == [])
    }
  }

  @Test("a slow reader delays the next backup, and neither ticks nor the stop")
  func slowReader() async throws {
    try await running { service, bus, environment in
      let payload = String(repeating: "x", count: 200_000)
      for number in 0..<150 { try await bus.start(#""id": "s\#(number)", "every": "1h", "payload": "\#(payload)""#) }
      for number in 0..<150 { _ = try await bus.next("Schedule Started", of: "s\(number)") }
      let url = "http://\(environment["POCKETWATCH_HTTP"] ?? "")/api/v1/backup"
      let file = service.folder.appending(path: "backup.sqlite").path()
      let options = ["--silent", "--request", "POST", "--header", "Authorization: Bearer \(Self.token)", url]
      let slow = try Program("/usr/bin/curl", options + ["--limit-rate", "100k", "--output", file + ".slow"])
      try await until("the beginning of the slow one") { FileManager.default.fileExists(atPath: file + ".slow") }
      let second = try await backUpOnce(to: file, environment)
      #expect(second.code == 69 && second.complaint.contains(Self.isBusy), "\(second)")
      try await bus.settle()
      slow.send(signal: SIGKILL)
      _ = try await slow.exitCode()
      let third = try await backUp(to: file, environment)
      #expect(third.code == 0 && third.output.contains(" 151 schedules, "), "\(third)")

      // Slow enough to be cut, yet what the sockets hold, up to 10 MB, is read soon after that.
      let slowest = try await beginCopy(to: file + ".2", options + ["--limit-rate", "1M"])
      #expect(try await service.stop() == 0)
      #expect(try await slowest.exitCode() != 0, "it notices that the copy is incomplete")
      let names = try FileManager.default.contentsOfDirectory(atPath: service.folder.path())
      let left = names.filter { $0.contains(".backup-") || $0.contains(".partial") }
      #expect(left == [])
    }
  }

  @Test("obstacles are reported, and FILE is not changed")
  func refusals() async throws {
    try await running { service, bus, environment in
      try await bus.start(#""id": "a", "every": "1h""#)
      _ = try await bus.next("Schedule Started")
      let file = service.folder.appending(path: "backup.sqlite").path()
      try Data("mine".utf8).write(to: URL(filePath: file))
      let there = try await backUp(to: file, environment)
      #expect(there.code == 1 && there.complaint.contains("--force"), "\(there)")

      var wrong = environment
      wrong["POCKETWATCH_HTTP_TOKEN_FILE"] = service.folder.appending(path: "other").path()
      try Data("another-token-1234".utf8).write(to: service.folder.appending(path: "other"))
      let unauthorized = try await backUp(to: file, wrong, ["--force"])
      #expect(unauthorized.code == 69 && unauthorized.complaint.contains("POCKETWATCH_HTTP_TOKEN_FILE"))
      var off = environment
      off["POCKETWATCH_HTTP"] = "off"
      #expect(try await backUp(to: file, off, ["--force"]).code == 78)
      var nobody = environment
      nobody["POCKETWATCH_HTTP"] = "127.0.0.1:1"
      let unreachable = try await backUp(to: file, nobody, ["--force"])
      #expect(unreachable.code == 69 && unreachable.complaint.contains("Is the service running"), "\(unreachable)")
      let nowhere = try await backUp(to: "/nowhere/backup.sqlite", environment)
      #expect(nowhere.code == 1 && nowhere.complaint.contains("/nowhere/backup.sqlite.partial"), "\(nowhere)")
      #expect(try String(contentsOfFile: file, encoding: .utf8) == "mine")

      let forced = try await backUp(to: file, environment, ["--force"])
      #expect(forced.code == 0 && forced.output.contains(": 1 schedules, "), "\(forced)")
    }
  }

  @Test("it never replaces its own database or a file beside it, under any name")
  func ontoItself() async throws {
    try await running { service, bus, environment in
      try await bus.start(#""id": "a", "every": "1h""#)
      _ = try await bus.next("Schedule Started")
      let folder = service.folder
      let (symbolic, hard) = (folder.appending(path: "link").path(), folder.appending(path: "hard").path())
      try FileManager.default.createSymbolicLink(atPath: symbolic, withDestinationPath: service.database)
      try FileManager.default.linkItem(atPath: service.database, toPath: hard)
      try FileManager.default.createSymbolicLink(
        atPath: folder.appending(path: "elsewhere").path(), withDestinationPath: folder.path())
      try FileManager.default.linkItem(atPath: service.database, toPath: folder.appending(path: "part.partial").path())
      let before = try FileManager.default.contentsOfDirectory(atPath: folder.path()).sorted()
      let targets =
        ["", "-wal", "-shm", "-journal", ".lock"].map { service.database + $0 } + [
          symbolic, hard, folder.appending(path: "elsewhere/pocketwatch.sqlite").path(),
          folder.path() + "/../" + folder.lastPathComponent + "/pocketwatch.sqlite-wal",
          folder.appending(path: "part").path(),
        ]
      var unset = environment
      unset["POCKETWATCH_DATABASE"] = nil  // the service reports it
      unset["POCKETWATCH_STACK"] = nil
      for (target, environment) in targets.flatMap({ [($0, environment), ($0, unset)] }) {
        let result = try await backUp(to: target, environment, ["--force"])
        #expect(result.code == 1 && result.complaint.contains("is the database itself"), "\(target): \(result)")
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path()).sorted() == before)
      try await bus.start(#""id": "b", "every": "1h""#)
      _ = try await bus.next("Schedule Started", of: "b")
      #expect(try await service.stop() == 0)
    }
  }

  @Test("a copy of another service than the settings name is refused, and the error names that service")
  func ofAnother() async throws {
    try await running { service, _, environment in
      let file = service.folder.appending(path: "backup.sqlite").path()
      for (variable, value) in [("POCKETWATCH_STACK", "billing"), ("POCKETWATCH_DATABASE", "/data/billing.sqlite")] {
        var wrong = environment
        wrong[variable] = value
        let result = try await backUp(to: file, wrong)
        #expect(result.code == 78 && result.complaint.contains("\(variable) is \(value)"), "\(result)")
        #expect(result.complaint.contains("stack \(service.names.stack), database \(service.database)"), "\(result)")
        for name in [file, file + ".partial"] { #expect(!FileManager.default.fileExists(atPath: name)) }
      }
      let link = service.folder.appending(path: "link").path()
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: service.database)
      var linked = environment
      linked["POCKETWATCH_DATABASE"] = link
      #expect(try await backUp(to: file, linked).code == 0, "another name of the same database")
    }
  }

  @Test(
    "a disk that fills up meanwhile leaves neither a partial file nor a success",
    .enabled(if: SmallDisk.canBeMade, SmallDisk.needsRoot))
  func fullDisk() async throws {
    try await running { service, bus, environment in
      let payload = String(repeating: "x", count: 200_000)
      for number in 0..<10 { try await bus.start(#""id": "s\#(number)", "every": "1h", "payload": "\#(payload)""#) }
      for number in 0..<10 { _ = try await bus.next("Schedule Started", of: "s\(number)") }
      let disk = try SmallDisk(megabytes: 1)
      let file = disk.folder.appending(path: "backup.sqlite").path()
      let result = try await backUp(to: file, environment)
      #expect(result.code == 1 && result.complaint.contains("No space left on device"), "\(result)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: disk.folder.path()) == [])
    }
  }
}
