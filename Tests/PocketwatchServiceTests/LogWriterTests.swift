import Foundation
import Glibc
import Logging
import PocketwatchService
import Recurrence
import Testing

/// The log must never block its writers, whatever its reader does.
@Suite("Writing the log", .timeLimit(.minutes(1)))
struct LogWriterTests {
  /// A pipe of the smallest size, 4096 bytes.
  private final class Pipe {
    let reader: Int32
    let writer: Int32

    init() throws {
      var files: [Int32] = [0, 0]
      try #require(pipe(&files) == 0)
      (reader, writer) = (files[0], files[1])
      cr_setPipeSize(writer)
    }

    /// The output up to the line with this text.
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

  @Test("lines are complete and in order")
  func order() throws {
    let pipe = try Pipe()
    let log = LogWriter(descriptor: pipe.writer)
    for number in 1...5 { log.write(line("line \(number)"), isText: number.isMultiple(of: 2)) }
    let text = pipe.read(until: "line 5")
    #expect(text.split(separator: "\n").map { $0.firstMatch(of: /line \d/)?.output } == (1...5).map { "line \($0)" })
    #expect(log.flush(within: .seconds(10)))
  }

  @Test("a stopped reader blocks nobody; lost lines are counted, and reported when it continues")
  func full() throws {
    let pipe = try Pipe()
    let log = LogWriter(descriptor: pipe.writer, capacity: 20_000)
    let count = 100_000
    let begin = ContinuousClock.now
    for number in 1...count { log.write(line("line \(number)"), isText: true) }
    #expect(ContinuousClock.now - begin < .seconds(20), "it would block forever")
    #expect(!log.flush(within: .milliseconds(20)), "bounded, too")

    var numbers: [Int] = []
    var lost = 0
    // More than one report, if the pipe still accepted lines while the queue was full.
    while numbers.count + lost < count {
      for line in pipe.read(until: "\n").split(separator: "\n") {
        if let dropped = line.firstMatch(of: /dropped=(\d+)$/) {
          lost += Int(dropped.output.1) ?? 0
        } else {
          numbers.append(try #require(line.firstMatch(of: /info line (\d+)$/).flatMap { Int($0.output.1) }, "\(line)"))
        }
      }
    }
    #expect(numbers.count + lost == count && lost > 0)
    #expect(numbers.count > 100, "a full queue and a full pipe")
    #expect(zip(numbers, numbers.dropFirst()).allSatisfy(<), "in order")
    log.write(line("after"), isText: true)
    #expect(pipe.read(until: "after").split(separator: "\n").count == 1, "reported once")
    #expect(log.flush(within: .seconds(10)))
  }

  @Test("a closed reader has no effect on writers")
  func gone() throws {
    signal(SIGPIPE, SIG_IGN)
    let pipe = try Pipe()
    close(pipe.reader)
    let log = LogWriter(descriptor: pipe.writer)
    for number in 1...100 { log.write(line("line \(number)"), isText: true) }
    #expect(log.flush(within: .seconds(10)))
  }

  @Test("a non-blocking descriptor loses no line")
  func nonBlocking() throws {
    let pipe = try Pipe()
    _ = fcntl(pipe.writer, F_SETFL, O_NONBLOCK)
    let log = LogWriter(descriptor: pipe.writer)
    for number in 1...1000 { log.write(line("line \(number)"), isText: true) }
    let lines = pipe.read(until: "line 1000").split(separator: "\n")
    #expect(lines.count == 1000)
  }
}

/// F_SETPIPE_SZ: the minimum is one page.
private func cr_setPipeSize(_ file: Int32) { _ = fcntl(file, 1031, 4096) }
