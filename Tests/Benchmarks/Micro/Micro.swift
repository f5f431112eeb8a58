import ArgumentParser

/// Single functions, without a broker.
struct Micro: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Time per call of what is called often.")

  func run() throws {
    print("time per call, median of \(CallTimer.runs) runs\n")
    try Self.recurrence()
    print("")
    try Self.envelope()
    print("")
    try StoreBenchmark.run()
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

  /// Microseconds per call.
  static func median(of calls: Int, _ body: (Int) -> Void) -> Double {
    for count in 0..<calls / 10 { body(count) }  // warm
    return (0..<runs).map { _ in
      microseconds { for count in 0..<calls { body(count) } } / Double(calls)
    }.median
  }

  static func microseconds(of body: () throws -> Void) rethrows -> Double {
    try ContinuousClock().measure { try body() } / .microseconds(1)
  }
}
