import AMQP
import Foundation
import Recurrence
import Testing

@testable import PocketwatchService
@testable import Scheduling

/// The wait of the engine's thread.
@Suite("Waiting", .timeLimit(.minutes(1)))
struct WakeTimerTests {
  private func elapsed(_ body: () -> Void) -> Int64 {
    let begun = SystemClock.now().uptime
    body()
    return SystemClock.now().uptime - begun
  }

  @Test("a signal ends the current wait, or the next one")
  func ring() throws {
    let timer = try WakeTimer()
    timer.signal()
    timer.signal()
    timer.wait(untilWall: nil, atMostMilliseconds: 1_000_000)
    // Two signals count as one: the next wait blocks again.
    #expect(elapsed { timer.wait(untilWall: nil, atMostMilliseconds: 20) } >= 20)
    Thread.detachNewThread { timer.signal() }
    timer.wait(untilWall: nil, atMostMilliseconds: 1_000_000)
  }

  @Test("ends at the wall-clock time, never before it")
  func wall() throws {
    let timer = try WakeTimer()
    for milliseconds in [0, 1, 7, 30] as [Int64] {
      let target = SystemClock.now().wall.advanced(byMilliseconds: milliseconds)
      timer.wait(untilWall: target, atMostMilliseconds: 1_000_000)
      #expect(SystemClock.now().wall >= target)
    }
  }

  @Test("a past time ends it at once", arguments: [Int64.min, -1, 0, 1])
  func past(milliseconds: Int64) throws {
    let timer = try WakeTimer()
    timer.wait(untilWall: Instant(milliseconds: milliseconds), atMostMilliseconds: 1_000_000)
    timer.wait(untilWall: nil, atMostMilliseconds: milliseconds.clamped)
  }

  @Test("inputs are returned in order, and end the wait")
  func inbox() throws {
    let inbox = try Inbox()
    #expect(inbox.take().isEmpty)
    for number in 1...3 { inbox.post(.publisher(.acked([UInt64(number)]))) }
    let now = SystemClock.now()
    inbox.wait(for: Engine.Wake(wall: nil, uptime: nil), now: now, atMostMilliseconds: 1_000_000)
    let numbers = inbox.take().map { input -> [UInt64] in
      guard case .publisher(.acked(let numbers), _) = input else { return [] }
      return numbers
    }
    #expect(numbers == [[1], [2], [3]])
    #expect(inbox.take().isEmpty)
    inbox.post(.stop)
    inbox.wait(for: Engine.Wake(wall: nil, uptime: nil), now: now, atMostMilliseconds: 1_000_000)
    // A past time on the monotonic clock.
    inbox.wait(for: Engine.Wake(wall: nil, uptime: now.uptime - 5), now: now, atMostMilliseconds: 1_000_000)
  }
}

extension Int64 {
  /// As a limit in milliseconds, at most one.
  fileprivate var clamped: Int64 { Swift.min(self, 1) }
}
