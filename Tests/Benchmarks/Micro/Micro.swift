import ArgumentParser
import Glibc
import SQLiteStore
import Scheduling

/// Single functions, without a broker.
struct Micro: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Time per call of functions that are called often.")

  enum Part: String, CaseIterable, ExpressibleByArgument {
    case recurrence, envelope, store, messages, tick, list, batch
  }

  @Argument(help: "Only these.")
  var parts = Part.allCases

  @Option(help: "The schedules of `list`.")
  var schedules = 1_000_000

  @Option(help: "How many delayed messages wait beside those that are measured.")
  var waitingMessages = 100_000

  @Option(help: "How many delayed messages are measured.")
  var messages = 10_240

  func run() throws {
    print("processor time per call, median of \(CallTimer.runs) runs")
    for part in parts {
      print("")
      switch part {
      case .recurrence: try Self.recurrence()
      case .envelope: try Self.envelope()
      case .store: try StoreBenchmark.run()
      case .messages: try MessageBenchmark.run(waiting: waitingMessages, messages: messages)
      case .tick: try TickBenchmark.run()
      case .list: try ListBenchmark.run(schedules)
      case .batch: try BatchBenchmark.run()
      }
    }
  }

  /// An engine on this store, in whose inbox there is nothing.
  static func engine(_ store: SQLiteStore) throws -> Engine {
    Engine(persistentState: try store.load(), zones: { _ in nil }) { _, source in
      ReceivedCommand(source: source, origin: Origin(), content: .ownEvent)
    }
  }

  static func report(_ name: String, calls: Int = 50_000, _ body: (Int) -> Void) {
    tell(name, CallTimer.median(of: calls, body))
  }

  static func tell(_ name: String, _ microseconds: Double) {
    let rounded = (microseconds * 1000).rounded() / 1000
    print(name + String(repeating: " ", count: max(1, 48 - name.count)) + "\(rounded) us")
  }
}

enum CallTimer {
  static let runs = 5

  /// Processor time per call, in microseconds.
  static func median(of calls: Int, _ body: (Int) -> Void) -> Double {
    for count in 0..<calls / 10 { body(count) }  // warm
    return (0..<runs).map { _ in
      processorMicroseconds { for count in 0..<calls { body(count) } } / Double(calls)
    }.median
  }

  /// Of this thread, so that other programs on the machine matter little.
  static func processorMicroseconds(of body: () -> Void) -> Double {
    func now() -> Double {
      var time = timespec()
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
      return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
    }
    let begin = now()
    body()
    return now() - begin
  }

  static func microseconds(of body: () throws -> Void) rethrows -> Double {
    try ContinuousClock().measure { try body() } / .microseconds(1)
  }
}
