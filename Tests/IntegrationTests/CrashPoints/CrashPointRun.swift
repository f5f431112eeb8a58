import AMQP
import Foundation
import GRDB
import Glibc
import PocketwatchService

/// Runs a scenario repeatedly, killing the service at the first point of a kind, the second, and so on until it gets through.
/// Each time it is restarted and has to finish what it began.
final class CrashPointRun {
  /// The time limit of `ops/crashpoints`; nil when the runs are not wanted.
  static let seconds = ProcessInfo.processInfo.environment["POCKETWATCH_CRASHPOINT_SECONDS"].flatMap { Double($0) }

  let scenario: CrashScenario
  let client: RecordingClient
  private let service: ServiceProcess
  private let bus: ServiceBus
  /// The database with which each run begins; nil for none.
  private var template: Data?
  private var lastLabel = 0
  /// How often the service was killed, by kind of point.
  private(set) var kills: [(point: String, count: Int)] = []
  /// Points left out because time ran out.
  private(set) var leftOut: [String] = []

  init(_ scenario: CrashScenario, broker: String) async throws {
    self.scenario = scenario
    service = try ServiceProcess.make(broker: broker)
    client = try RecordingClient(service.names, broker: broker)
    bus = try await ServiceBus(service.names, broker: broker)
  }

  /// - Parameter seconds: No kind of point is begun after this time.
  func run(at points: [CrashPoint], for seconds: Double) async throws {
    do {
      let end = ContinuousClock.now + .seconds(seconds)
      try client.start()
      try await prepare()
      for point in points {
        guard ContinuousClock.now < end else {
          leftOut.append(point.name)
          continue
        }
        kills.append((point.name, try await killEverywhere(at: point)))
      }
      try await checkThatNothingIsLeft()
    } catch {
      await dispose()
      throw error
    }
    await dispose()
  }

  private func dispose() async {
    client.stop()
    await service.dispose()
    bus.close()
  }

  /// Creates the topology, and the database with which each run begins.
  private func prepare() async throws {
    try await service.start()
    if scenario.needsLive { try await start(CrashScenario.liveID) }
    if scenario == .batch { try await start(CrashScenario.liveID + "-2") }
    if scenario == .resume {
      lastLabel += 1
      client.publish(
        SentCommand(
          label: lastLabel, id: CrashScenario.liveID, kind: .control("Schedule Pause"), hasMessageID: true,
          detail: #""id": "live", "reason": "pause""#), isRepeat: false)
      try await until("the schedule to be paused") { client.has("Schedule Paused", lastLabel) }
    }
    guard try await service.stop() == 0 else { throw Unexpected("the first run did not end cleanly") }
    switch scenario {
    case .firstStart: template = nil
    case .migration: template = try Self.firstRelease(in: service.folder)
    default: template = try Data(contentsOf: URL(filePath: service.database))
    }
  }

  private func start(_ id: String) async throws {
    lastLabel += 1
    client.publish(
      SentCommand(
        label: lastLabel, id: id, kind: .recurring(step: 3_600_000, limit: nil, misfire: nil), hasMessageID: true,
        detail: #""id": "\#(id)", "every": "1h", "payload": \#(lastLabel)"#),
      isRepeat: false)
    try await until("the schedule to be started") { client.has("Schedule Started", lastLabel) }
  }

  private enum End {
    case killed
    /// By a clean stop, although an unimportant call had failed.
    case stopped
    /// By a clean stop: it did not reach that point so many times.
    case undisturbed
  }

  /// Returns the number of kills.
  private func killEverywhere(at point: CrashPoint) async throws -> Int {
    var count = 0
    for number in stride(from: 1, to: .max, by: point.stride) {
      switch try await run(to: point, number) {
      case .killed: count += 1
      case .stopped: continue
      case .undisturbed: return count
      }
    }
    return count
  }

  private func run(to point: CrashPoint, _ number: Int) async throws -> End {
    try placeDatabase()
    lastLabel += 1
    let command = scenario.command(lastLabel)
    if let command {
      client.publish(command, isRepeat: false)
      try await until("the confirm of the command") { client.isConfirmed }
    }
    point.arm(service, number)
    let begin = Int64(Date.now.timeIntervalSince1970 * 1000)
    try service.launch()
    try await until("the end of the run, or of its work") {
      isDone || service.isHanging || service.program?.hasEnded ?? true
    }
    service.program?.send(signal: SIGTERM)
    // It may hang only now, while it stops; then it is killed.
    try await until("its end") { service.isHanging || service.program?.hasEnded ?? true }
    if service.isHanging { service.program?.send(signal: SIGKILL) }
    let code = try await service.end()
    if code == 0, !service.hasMetFailure { return .undisturbed }
    guard code == point.exitCode || code == 0 else {
      throw Unexpected("\(point.name) \(number): it ended with \(code)")
    }
    client.note(.serviceKilled, since: begin)
    CrashPoint.disarm(service)
    try await service.start()
    client.note(.recovered)
    try await until("the end of what began before \(point.name) \(number)") { isDone }
    guard try await service.stop() == 0 else { throw Unexpected("after \(point.name) \(number): no clean stop") }
    try await emptyQueue()
    try checkDatabase("\(point.name) \(number)")
    return code == 0 ? .stopped : .killed
  }

  /// Redelivered commands wait until all of them are here, so the queue may still have a copy of a finished command. The next
  /// run begins with another database, which does not know it.
  private func emptyQueue() async throws {
    while true {
      try await until("the service's consumer to be gone") { try commandQueue()?.consumers ?? 0 == 0 }
      guard try commandQueue()?.messages ?? 0 > 0 else { return }
      try await service.start()
      try await service.logs("in the inbox")
      guard try await service.stop() == 0 else { throw Unexpected("no clean stop with a copy in the queue") }
    }
  }

  private func commandQueue() throws -> QueueStatus? {
    try bus.withConnection { try $0.checkQueue(service.names.commandQueue) }
  }

  private var isDone: Bool {
    guard !scenario.lastEvents.isEmpty else { return service.log.contains { $0.contains(#"":"ready""#) } }
    return scenario.lastEvents.allSatisfy { client.has($0, lastLabel) }
  }

  private func placeDatabase() throws {
    for suffix in ["", "-wal", "-shm", "-journal"] { unlink(service.database + suffix) }
    try template?.write(to: URL(filePath: service.database))
  }

  private func checkDatabase(_ point: String) throws {
    let complaints = try service.databaseComplaints()
    guard complaints.isEmpty else { throw Unexpected("\(point): the database is damaged: \(complaints)") }
    if scenario == .batch { try checkBatch(point) }
    guard scenario == .migration else { return }
    let row = try service.readDatabase {
      try String.fetchOne(
        $0, sql: "SELECT group_concat(id) FROM schedule JOIN progress USING (generation) WHERE due NOT NULL")
    }
    guard row == CrashScenario.liveID else { throw Unexpected("\(point): the schedules are \(row ?? "gone")") }
  }

  /// P34: both schedules are paused once, and nothing is left of the batch.
  private func checkBatch(_ point: String) throws {
    let (revisions, left) = try service.readDatabase {
      (
        try Int.fetchAll($0, sql: "SELECT revision FROM control WHERE pausedSince NOT NULL"),
        try Int.fetchOne($0, sql: "SELECT (SELECT count(*) FROM batch) + (SELECT count(*) FROM batchMember)")
      )
    }
    guard revisions == [2, 2], left == 0 else {
      throw Unexpected("\(point): paused at revisions \(revisions), \(left ?? -1) rows of the batch are left")
    }
  }

  /// P1: commands acknowledged too late or not at all are in the queue.
  private func checkThatNothingIsLeft() async throws {
    try await until("an empty command queue") {
      try bus.withConnection { try $0.checkQueue(service.names.commandQueue)?.messages } == 0
    }
  }

  /// A database of the first release with a live schedule in it, whose next tick is years away.
  private static func firstRelease(in folder: URL) throws -> Data {
    let sql = try String(
      contentsOf: PrivateBroker.root.appending(path: "Tests/SQLiteStoreTests/Releases/v1.sql"), encoding: .utf8)
    let path = folder.appending(path: "v1.sqlite").path()
    let queue = try DatabaseQueue(path: path)
    try queue.write { database in
      try database.execute(sql: sql)
      try database.execute(sql: "DELETE FROM schedule WHERE due IS NOT NULL OR owesStopped = 1")
      try database.execute(
        sql: """
          INSERT INTO schedule (generation, id, every, counter, slot, due, missed)
          VALUES (7, CAST(? AS BLOB), '1h', 0, 4000000000000, 4000000000000, 0)
          """, arguments: [CrashScenario.liveID])
    }
    try queue.close()
    return try Data(contentsOf: URL(filePath: path))
  }
}
