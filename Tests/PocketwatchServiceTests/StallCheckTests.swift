#if DEBUG
  import Foundation
  import Glibc
  import Synchronization
  import Testing

  @testable import PocketwatchService

  @Suite("Stalls of the engine's thread", .serialized, .timeLimit(.minutes(1)))
  struct StallCheckTests {
    /// The steps that were found to block while a thread did this.
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

    @Test("a call that blocks is found and named, once, while it still blocks", arguments: [LoopStep.report, .publish])
    func blocks(step: LoopStep) throws {
      // Not for a time: until it is found, for the other tests of this process may keep it from being so.
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

    @Test("neither a wait that is meant, nor short ones, nor work is a stall")
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
