import Foundation
import LoopbackHTTP
import Synchronization

/// A simulated user and a Prometheus that load pages and metrics continuously, on their own thread.
final class Visitors: Sendable {
  private static let pagesPerSecond = 1

  private struct State {
    var isOver = false
    var milliseconds: [Double] = []
    var failure: String?
  }

  private let state = Mutex(State())
  private let ended = DispatchSemaphore(value: 0)

  /// Loads one of the pages, in rotation, and the metrics, each once per second.
  init(port: Int, token: String, paths: [String]) {
    let thread = Thread { [self] in
      do {
        let client = try LoopbackClient(port: port, token: token)
        var round = 0
        while !state.withLock({ $0.isOver }) {
          let next = WallClock.nanoseconds + 1_000_000_000 / Int64(Self.pagesPerSecond)
          if round % Self.pagesPerSecond == 0 { try client.get("/metrics") }
          let milliseconds = try client.milliseconds(toGet: paths[round % paths.count])
          state.withLock { $0.milliseconds.append(milliseconds) }
          round += 1
          usleep(UInt32(max(0, next - WallClock.nanoseconds) / 1000))
        }
      } catch {
        state.withLock { $0.failure = "\(error)" }
      }
      ended.signal()
    }
    thread.start()
  }

  /// Stops, and returns the time of each page load in milliseconds.
  func leave() throws -> [Double] {
    state.withLock { $0.isOver = true }
    ended.wait()
    return try state.withLock { state in
      if let failure = state.failure { throw BenchError(failure) }
      return state.milliseconds
    }
  }
}

extension LoopbackClient {
  /// The time of a complete page load.
  func milliseconds(toGet path: String) throws -> Double {
    let begin = WallClock.nanoseconds
    try get(path)
    return Double(WallClock.nanoseconds - begin) / 1e6
  }
}
