import Foundation
import Glibc
import Logging
import PocketwatchService
import Recurrence
import Testing

/// The log must never hold up its writers, whatever its reader does.
@Suite("Writing the log", .timeLimit(.minutes(1)))
struct LogWriterTests {
  /// A pipe of the least size, 4096 bytes.
  private final class Pipe {
    let reader: Int32
    let writer: Int32

    init() throws {
      var files: [Int32] = [0, 0]
      try #require(pipe(&files) == 0)
      (reader, writer) = (files[0], files[1])
      cr_setPipeSize(writer)
    }

    /// What is written until the line with this text has come.
    func read(until text: String) -> String {
      var all: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 65_536)
      while all.last != UInt8(ascii: "\n") || !String(decoding: all, as: UTF8.self).contains(text) {
        let count = Glibc.read(reader, &buffer, buffer.count)
        guard count > 0 else { break }
        all += buffer.prefix(count)
      }
      return String(decoding: all, as: UTF8.self)
    }
  }

  private func line(_ message: String) -> LogLine {
    LogLine(time: Instant(milliseconds: 0), level: .info, message: message)
  }

  @Test("lines come whole and in order")
  func order() throws {
    let pipe = try Pipe()
    let log = LogWriter(descriptor: pipe.writer)
    for number in 1...5 { log.write(line("line \(number)"), isText: number.isMultiple(of: 2)) }
    let text = pipe.read(until: "line 5")
    #expect(text.split(separator: "\n").map { $0.firstMatch(of: /line \d/)?.output } == (1...5).map { "line \($0)" })
    #expect(log.flush(within: .seconds(10)))
  }

  @Test("a reader that stands still holds up nobody; what is lost is counted, and reported when it reads again")
  func full() throws {
    let pipe = try Pipe()
    let log = LogWriter(descriptor: pipe.writer, capacity: 20_000)
    let count = 100_000
    let begin = ContinuousClock.now
    for number in 1...count { log.write(line("line \(number)"), isText: true) }
    #expect(ContinuousClock.now - begin < .seconds(20), "it would be for ever")
    #expect(!log.flush(within: .milliseconds(20)), "bounded, too")

    var lines = pipe.read(until: "dropped=").split(separator: "\n")
    let report = lines.removeLast()
    #expect(
      report.contains(" warning \"log entries were dropped") || report.contains(" warning log entries were dropped"))
    let lost = try #require(report.firstMatch(of: /dropped=(\d+)/).flatMap { Int($0.output.1) })
    #expect(lines.count + lost == count)
    #expect(lines.count > 100, "a full queue and a full pipe")
    #expect(lines.last?.hasSuffix("line \(lines.count)") == true, "the first ones, none cut")
    log.write(line("after"), isText: true)
    #expect(pipe.read(until: "after").split(separator: "\n").count == 1, "reported once")
    #expect(log.flush(within: .seconds(10)))
  }

  @Test("a reader that is gone is no matter")
  func gone() throws {
    signal(SIGPIPE, SIG_IGN)
    let pipe = try Pipe()
    close(pipe.reader)
    let log = LogWriter(descriptor: pipe.writer)
    for number in 1...100 { log.write(line("line \(number)"), isText: true) }
    #expect(log.flush(within: .seconds(10)))
  }

  @Test("a descriptor that somebody made non-blocking loses nothing")
  func nonBlocking() throws {
    let pipe = try Pipe()
    _ = fcntl(pipe.writer, F_SETFL, O_NONBLOCK)
    let log = LogWriter(descriptor: pipe.writer)
    for number in 1...1000 { log.write(line("line \(number)"), isText: true) }
    let lines = pipe.read(until: "line 1000").split(separator: "\n")
    #expect(lines.count == 1000)
  }
}

/// F_SETPIPE_SZ: a page is the least.
private func cr_setPipeSize(_ file: Int32) { _ = fcntl(file, 1031, 4096) }
