import Foundation
import Glibc
import Logging
import Synchronization

/// The steps of the engine's loop.
enum LoopStep: UInt8, CaseIterable {
  case receive, housekeeping, decide, publish, settle, report, readiness
  case store, question, wait

  /// Only transactions of the store and `Inbox.wait` may block.
  var mayBlock: Bool {
    switch self {
    case .store, .question, .wait: true
    case .receive, .housekeeping, .decide, .publish, .settle, .report, .readiness: false
    }
  }
}

#if DEBUG
  /// Detects calls that block the engine's thread for 50 ms or more in a step that must not block. Debug builds only.
  ///
  /// Elapsed time alone proves little on a busy machine, where a thread may wait that long for a processor. So a second thread
  /// samples every 10 ms. A sample counts only if the engine's thread sleeps in the same step and has not run since the previous
  /// sample (equal processor time), while no other thread of the process runs or waits for a disk: such a thread might hold a lock
  /// that the engine waits for. A stopped, traced or starved process gives no samples, because the second thread does not run
  /// either. Busy loops and file reads are not detected: the speed of a debug build is irrelevant, and any page may be uncached.
  final class StallCheck: Sendable {
    static let interval = useconds_t(10_000)
    static let samples = 6

    /// A counter of steps, times 256, plus the step.
    private let moment = Atomic<UInt64>(UInt64(LoopStep.wait.rawValue))
    private let isOver = Atomic(false)
    private let onStall: @Sendable (LoopStep) -> Void

    init(onStall: @escaping @Sendable (LoopStep) -> Void) {
      self.onStall = onStall
    }

    /// Aborts the process, so that no test passes with a call that blocks the engine's thread.
    convenience init(logger: Logger) {
      self.init { step in
        alarm(2)  // in case the log blocks
        logger.critical("engine stalled: a call blocked for over 50 ms", metadata: ["step": "\(step)"])
        LogWriter.standardError.flush(within: .seconds(1))
        abort()
      }
    }

    /// Watches the calling thread, unless failpoints are set, which may make it sleep.
    func start() {
      guard Failpoints.armed == nil, let thread = Self.thisThread else { return }
      Thread.detachNewThread { [self] in watch(thread) }
    }

    /// The watched thread begins a step, which ends the previous one.
    func enter(_ step: LoopStep) {
      let number = moment.load(ordering: .relaxed) >> 8 + 1
      moment.store(number << 8 | UInt64(step.rawValue), ordering: .relaxed)
    }

    /// Stops watching.
    func finish() { isOver.store(true, ordering: .relaxed) }

    private func watch(_ thread: String) {
      var last: Sample?
      var count = 0
      while !isOver.load(ordering: .relaxed) {
        usleep(Self.interval)
        guard let sample = sample(thread) else {
          last = nil
          continue
        }
        if sample != last {
          (last, count) = (sample, 1)
        } else if isProcessQuiet(but: thread) {
          count += 1
          if count == Self.samples { onStall(sample.step) }
        }
      }
    }

    private struct Sample: Equatable {
      var step: LoopStep
      var moment: UInt64
      /// Processor time and other counters, unchanged while the thread sleeps.
      var statistics: String
    }

    /// Nil if the thread does not sleep, or may block in its step.
    private func sample(_ thread: String) -> Sample? {
      let moment = moment.load(ordering: .relaxed)
      guard let step = LoopStep(rawValue: UInt8(truncatingIfNeeded: moment)), !step.mayBlock,
        let statistics = try? String(contentsOfFile: "\(thread)/schedstat", encoding: .utf8),
        Self.state(of: thread) == "S", self.moment.load(ordering: .relaxed) == moment
      else { return nil }
      return Sample(step: step, moment: moment, statistics: statistics)
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
        let end = text.lastIndex(of: ")")  // the end of its name, which may contain anything
      else { return nil }
      return text[end...].dropFirst(2).first
    }
  }
#else
  /// Has no effect in a release build.
  struct StallCheck {
    init(logger: Logger) {}
    @inline(__always) func start() {}
    @inline(__always) func enter(_ step: LoopStep) {}
    @inline(__always) func finish() {}
  }
#endif
