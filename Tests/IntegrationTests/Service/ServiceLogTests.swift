import Foundation
import Glibc
import PocketwatchService
import Testing

/// P24: a log whose reader is stuck, as behind Ctrl-S or a log driver that hangs.
@Suite(
  "The service: a log without a reader", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServiceLogTests {
  /// A named pipe as the standard error of a service, read only on demand.
  private final class LogPipe {
    private let file: Int32
    private var rest = ""

    /// Makes the service, which is not started, write its log into the pipe.
    init(of service: ServiceProcess) throws {
      let path = service.folder.appending(path: "log").path()
      try #require(mkfifo(path, 0o600) == 0)
      // For reading and writing, so that neither side waits for the other.
      file = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK)
      try #require(file >= 0)
      service.tracer = ["/bin/sh", "-c", #"exec "$@" 2>"$LOG""#, "sh"]
      service.environment["LOG"] = path
    }

    deinit { close(file) }

    /// Reads up to the line with this text, and returns it.
    func line(with text: String) async throws -> String {
      var found: String?
      var buffer = [UInt8](repeating: 0, count: 65_536)
      try await until("the log's \"\(text)\"") {
        while found == nil, case let count = read(file, &buffer, buffer.count), count > 0 {
          rest += String(decoding: buffer.prefix(count), as: UTF8.self)
          var lines = rest.split(separator: "\n", omittingEmptySubsequences: false)
          rest = lines.popLast().map(String.init) ?? ""
          found = lines.first { $0.contains(text) }.map(String.init)
        }
        return found != nil
      }
      return found ?? ""
    }

    /// Fills the pipe.
    func fill() {
      let bytes = [UInt8](repeating: UInt8(ascii: "x"), count: 4096)
      while write(file, bytes, bytes.count) > 0 {}
    }
  }

  @Test("ticks, health and a stop do not wait for it; when it is read again, one entry reports how many were dropped")
  func stalledReader() async throws {
    try await ServiceProcess.prepared { service, bus in
      let log = try LogPipe(of: service)
      service.environment["POCKETWATCH_LOG_LEVEL"] = "debug"
      service.environment["POCKETWATCH_HTTP"] = "127.0.0.1:0"
      try service.launch()
      let address = try await log.line(with: "http://127.0.0.1:")
      let port = try #require(address.firstMatch(of: /http:\/\/127\.0\.0\.1:(\d+)/).flatMap { Int($0.output.1) })
      _ = try await log.line(with: #"":"ready""#)
      try await bus.start(#""id": "t", "cron": "* * * * * *""#)
      _ = try await bus.next("Schedule Tick", of: "t")

      // From here on nothing reads. Each Start is a line, and together they are more than the pipe and the queue hold.
      let ids = (1...15_000).map { "storm-\($0)" }
      try await bus.startAll(ids, #""every": "1h""#)
      _ = try await bus.next("Schedule Started", of: ids.last, within: .seconds(120))
      let stormed = bus.ticks(of: "t").count
      _ = try await bus.events.next("ten ticks") {
        $0.isTick && $0.detail.id == "t" && ($0.detail.counter ?? 0) >= stormed + 10
      }
      let ticks = bus.ticks(of: "t")
      expectEverySlot(ticks, everyMilliseconds: 1000)
      let latenesses = ticks.suffix(10).compactMap(\.lateness)
      print("a log without a reader: ticks were late by \(latenesses) ms")
      #expect(latenesses.allSatisfy { $0 < 500 }, "\(latenesses)")
      #expect(try await ClientCrowd.get(["/healthz", "/readyz"], port: port) == [200, 200])

      let line = try await log.line(with: "log entries were dropped")
      let dropped = try #require(line.firstMatch(of: /"dropped":"(\d+)"/).flatMap { Int($0.output.1) })
      #expect((1..<ids.count).contains(dropped), "\(line)")
      try await bus.start(#""id": "after", "every": "1h""#)
      #expect(try await log.line(with: "schedule started").contains(#""id":"after""#))

      log.fill()
      let asked = MachineDelay()
      #expect(try await service.stop() == 0)
      #expect(asked.undelayed < .seconds(10))
    }
  }

  @Test("an error that ends the service waits a second at most to be read")
  func fatalError() async throws {
    let service = try ServiceProcess.make(broker: "amqp://u:p@127.0.0.1:1")
    let log = try LogPipe(of: service)
    service.environment["POCKETWATCH_STACK"] = "A"
    log.fill()
    try service.launch()
    #expect(try await service.end(within: .seconds(20)) == 78)
    await service.dispose()
  }

  @Test("an error that ends the service is logged in the form of the log", arguments: ["json", "text", "auto"])
  func form(format: String) async throws {
    let service = try ServiceProcess.make(broker: "amqp://u:p@127.0.0.1:1")
    for (name, value, code) in [
      ("POCKETWATCH_STACK", "A", Int32(78)), ("POCKETWATCH_STAK", "a", 78), ("POCKETWATCH_DATABASE", "/dev/null/x", 8),
    ] {
      service.environment["POCKETWATCH_LOG_FORMAT"] = format
      let before = service.environment.updateValue(value, forKey: name)
      try service.launch()
      let program = service.program
      #expect(try await service.end() == code)
      let line = try #require(program?.complaints.all.last)
      if format == "text" {
        #expect(line.contains(" critical ") && line.hasSuffix("exitCode=\(code)"), "\(line)")
      } else {
        let entry = try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
        #expect(entry["level"] == "critical" && entry["exitCode"] == "\(code)", "\(line)")
      }
      service.environment[name] = before
    }
    await service.dispose()
  }
}
