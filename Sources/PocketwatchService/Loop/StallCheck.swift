import Foundation
import Glibc
import Logging
import Synchronization

/// What the engine's thread does, by step.
enum LoopStep: UInt8, CaseIterable {
  case receive, housekeeping, decide, publish, settle, report, readiness
  case store, question, wait

  /// The only steps that may block: the store's transactions and `Inbox.wait`.
  var mayBlock: Bool {
    switch self {
    case .store, .question, .wait: true
    case .receive, .housekeeping, .decide, .publish, .settle, .report, .readiness: false
    }
  }
}

#if DEBUG
  /// Finds calls on the engine's thread that block: for 50 ms or more, in a step that must not. Debug builds only.
  ///
  /// Time on the clock would say little on a busy machine, where a thread may wait that long for a processor. So a second
  /// thread looks every 10 ms, and counts only looks at which the engine's thread sleeps in the same step without having
  /// run since the look before (its processor time is the same), while no other thread of the process runs or waits for
  /// a disk: one of those might hold a lock that the engine waits for. A process that is stopped, traced or starved
  /// is not looked at either, since the second thread gets no further than the first. What burns processor time is not
  /// found, nor are reads of files: a debug build's speed means nothing, and a page may always be missing.
  final class StallCheck: Sendable {
    static let interval = useconds_t(10_000)
    static let looks = 6

    /// The number of the step, times 256, and the step.
    private let moment = Atomic<UInt64>(UInt64(LoopStep.wait.rawValue))
    private let isOver = Atomic(false)
    private let onStall: @Sendable (LoopStep) -> Void

    init(onStall: @escaping @Sendable (LoopStep) -> Void) {
      self.onStall = onStall
    }

    /// Ends the process: nothing that blocks the engine's thread may pass a test.
    convenience init(logger: Logger) {
      self.init { step in
        alarm(2)  // should the log be what blocks
        logger.critical("engine stalled: a call blocked for over 50 ms", metadata: ["step": "\(step)"])
        LogWriter.standardError.flush(within: .seconds(1))
        abort()
      }
    }

    /// Watches the calling thread from now on. Not where a test has it hang or sleep.
    func start() {
      guard Failpoints.armed == nil, let thread = Self.thisThread else { return }
      Thread.detachNewThread { [self] in watch(thread) }
    }

    /// The calling thread begins a step, which ends the one before.
    func enter(_ step: LoopStep) {
      let number = moment.load(ordering: .relaxed) >> 8 + 1
      moment.store(number << 8 | UInt64(step.rawValue), ordering: .relaxed)
    }

    /// No longer watches the thread.
    func finish() { isOver.store(true, ordering: .relaxed) }

    private func watch(_ thread: String) {
      var last: Look?
      var count = 0
      while !isOver.load(ordering: .relaxed) {
        usleep(Self.interval)
        guard let look = look(at: thread) else {
          last = nil
          continue
        }
        if look != last {
          (last, count) = (look, 1)
        } else if isProcessQuiet(but: thread) {
          count += 1
          if count == Self.looks { onStall(look.step) }
        }
      }
    }

    private struct Look: Equatable {
      var step: LoopStep
      var moment: UInt64
      /// Processor time and more, of which nothing changes while the thread sleeps.
      var statistics: String
    }

    /// Nil when the thread does not sleep, or may.
    private func look(at thread: String) -> Look? {
      let moment = moment.load(ordering: .relaxed)
      guard let step = LoopStep(rawValue: UInt8(truncatingIfNeeded: moment)), !step.mayBlock,
        let statistics = try? String(contentsOfFile: "\(thread)/schedstat", encoding: .utf8),
        Self.state(of: thread) == "S", self.moment.load(ordering: .relaxed) == moment
      else { return nil }
      return Look(step: step, moment: moment, statistics: statistics)
    }

    private func isProcessQuiet(but thread: String) -> Bool {
      let ours = [Self.thisThread, thread]
      let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
      return threads.map { "/proc/\(getpid())/task/\($0)" }.allSatisfy { other in
        ours.contains(other) || ![Character("R"), "D"].contains(Self.state(of: other))
      }
    }

    /// The folder of the calling thread in /proc.
    private static var thisThread: String? {
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")).map { "/proc/\($0)" }
    }

    /// `S` asleep, `R` running or waiting for a processor, `D` waiting for a disk.
    private static func state(of thread: String) -> Character? {
      guard let text = try? String(contentsOfFile: "\(thread)/stat", encoding: .utf8),
        let end = text.lastIndex(of: ")")  // of its name, which may hold anything
      else { return nil }
      return text[end...].dropFirst(2).first
    }
  }
#else
  /// Nothing in a release build.
  struct StallCheck {
    init(logger: Logger) {}
    @inline(__always) func start() {}
    @inline(__always) func enter(_ step: LoopStep) {}
    @inline(__always) func finish() {}
  }
#endif
