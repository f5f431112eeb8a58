import Foundation
import GRDB
import Recurrence
import Testing

/// P16, P19: databases that are damaged, or of a newer version.
@Suite(
  "The service: databases that it cannot use", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServiceDatabaseTests {
  /// A way to make a database unusable, and the log entry that it has to cause.
  struct Damage: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let reason: String
    let apply: @Sendable (_ path: String) throws -> Void

    init(_ description: String, _ reason: String, _ apply: @escaping @Sendable (_ path: String) throws -> Void) {
      (testDescription, self.reason, self.apply) = (description, reason, apply)
    }
  }

  private static let damages = [
    Damage("truncated", "is damaged; keep a copy of it and restore a backup") { path in
      try FileHandle(forWritingTo: URL(filePath: path)).truncate(atOffset: 8192)
    },
    Damage("its header overwritten", "is not an SQLite database, or its header is damaged") { path in
      try overwrite(path, at: 0, count: 16)
    },
    Damage("the list of its tables overwritten", "is damaged; keep a copy of it and restore a backup") { path in
      try overwrite(path, at: 100, count: 3000)
    },
    Damage("of a newer version", "was written by a newer version of Pocketwatch") { path in
      let queue = try DatabaseQueue(path: path)
      try queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('v999')") }
      try queue.close()
    },
  ]

  @Test("it is refused with code 5 and the reason, and not changed by a byte", arguments: damages)
  func refused(_ damage: Damage) async throws {
    try await withDatabase { service, bus in
      try damage.apply(service.database)
      let content = try Data(contentsOf: URL(filePath: service.database))
      let launched = Instant(milliseconds: Int64(Date.now.timeIntervalSince1970 * 1000))
      try service.launch()
      let log = try #require(service.program).complaints
      #expect(try await service.end() == 5)
      let complaint = log.all.joined(separator: "\n")
      #expect(complaint.contains(service.database) && complaint.contains(damage.reason), "\(complaint)")
      #expect(try Data(contentsOf: URL(filePath: service.database)) == content)
      let files = try FileManager.default.contentsOfDirectory(atPath: service.folder.path())
      #expect(files.sorted() == ["pocketwatch.sqlite", "pocketwatch.sqlite.lock"])
      #expect(try bus.events.all.allSatisfy { try #require(Instant(rfc3339: $0.time)) <= launched })
    }
  }

  @Test("damaged anywhere: the service works as far as it can, or ends with the reason, and never crashes")
  func pages() async throws {
    try await withDatabase { service, _ in
      let good = try Data(contentsOf: URL(filePath: service.database))
      let tables = try service.readDatabase {
        try Row.fetchAll($0, sql: "SELECT rootpage, name FROM sqlite_schema WHERE rootpage > 0 ORDER BY rootpage")
      }
      var codes: [String: Int32] = [:]
      for table in tables {
        let (page, name): (Int, String) = (table[0], table[1])
        try good.write(to: URL(filePath: service.database))
        try Self.overwrite(service.database, at: (page - 1) * 4096, count: 4096)
        try service.launch()
        try await until("its end, or that it serves") {
          service.program?.hasEnded ?? true || service.log.contains { $0.contains(#"":"ready""#) }
        }
        let log = try #require(service.program).complaints
        let code = try await service.stop()
        codes[name] = code
        #expect(code == 0 || (code == 5 && log.all.last?.contains("is damaged") == true), "\(name): \(log.all)")
      }
      print("damaged databases: \(codes.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" })")
      #expect(codes["schedule"] == 5 && codes["recollection"] == 5, "nothing works without these")
    }
  }

  /// Runs `body` with a service that has ended and left a database with a live schedule.
  private func withDatabase(_ body: (ServiceProcess, ServiceBus) async throws -> Void) async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.start(#""id": "d", "cron": "* * * * * *""#)
      _ = try await bus.next("Schedule Tick", of: "d")
      #expect(try await service.stop() == 0)
      try await body(service, bus)
    }
  }

  private static func overwrite(_ path: String, at offset: Int, count: Int) throws {
    let file = try FileHandle(forWritingTo: URL(filePath: path))
    try file.seek(toOffset: UInt64(offset))
    try file.write(contentsOf: Data(repeating: 0xa5, count: count))
    try file.close()
  }
}
