#if DEBUG
  import Foundation
  import Glibc
  import Synchronization
  import Testing

  @testable import PocketwatchService

  @Suite("Stalls of the engine's thread", .serialized, .timeLimit(.minutes(1)))
  struct StallCheckTests {
    /// The steps reported as blocking while a thread runs `body`.
    private func stalls(_ body: @escaping @Sendable (StallCheck) -> Void) -> [LoopStep] {
      let found = Mutex<[LoopStep]>([])
      let check = StallCheck { step in found.withLock { $0.append(step) } }
      let end = DispatchSemaphore(value: 0)
      Thread.detachNewThread {
        check.start()
        body(check)
        check.finish()
        end.signal()
      }
      end.wait()
      return found.withLock { $0 }
    }

    @Test("a blocking call is reported once, with its step, while it blocks", arguments: [LoopStep.report, .publish])
    func blocks(step: LoopStep) throws {
      // Blocks until it is reported, not for a fixed time: other tests of this process may delay the report.
      let found = DispatchSemaphore(value: 0)
      let step = step
      let steps = Mutex<[LoopStep]>([])
      let check = StallCheck { stalled in
        steps.withLock { $0.append(stalled) }
        found.signal()
      }
      let end = DispatchSemaphore(value: 0)
      Thread.detachNewThread {
        check.start()
        check.enter(.decide)
        check.enter(step)
        found.wait()
        check.enter(.wait)
        check.finish()
        end.signal()
      }
      end.wait()
      #expect(steps.withLock { $0 } == [step])
    }

    @Test("intended waits, short waits and work are not stalls")
    func doesNot() {
      let found = stalls { check in
        for step in LoopStep.allCases where step.mayBlock {
          check.enter(step)
          usleep(200_000)
        }
        for _ in 1...100 {
          check.enter(.receive)
          usleep(2_000)
        }
        check.enter(.decide)
        let end = ContinuousClock.now + .milliseconds(300)
        while ContinuousClock.now < end {}
        check.enter(.wait)
      }
      #expect(found == [])
    }
  }
#endif
