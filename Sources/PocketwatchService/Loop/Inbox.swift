import AMQP
import Scheduling
import Synchronization

/// The queue of inputs for the engine's thread, filled by other threads.
final class Inbox: Sendable {
  enum Input: Sendable {
    case publisher(Publisher.Event, on: Outlet = .bus)
    case consumer(Consumer.Event)
    /// Deliveries, decoded on the consumer's thread.
    case commands([ReceivedCommand], epoch: UInt64)
    /// Check the time zone files now.
    case refreshZones
    /// Why the broker refuses replies; nil if it no longer does.
    case replyProblem(String?)
    case fail(ServiceFailure)
    case stop

    var isStop: Bool { if case .stop = self { true } else { false } }
  }

  /// A query of the store for pages, API or CLI. Must take a few milliseconds at most.
  typealias Question = @Sendable (any ScheduleQueries) -> Void

  /// The most waiting questions.
  static let maximumQuestions = 128

  private let inputs = Mutex<[Input]>([])
  private let questions = Mutex<[Question]>([])
  private let timer: WakeTimer

  init() throws {
    timer = try WakeTimer()
  }

  /// From any thread.
  func post(_ input: Input) {
    let isFirst = inputs.withLock { inputs in
      inputs.append(input)
      return inputs.count == 1
    }
    if isFirst { timer.signal() }
  }

  /// From any thread. Returns false when too many questions wait.
  ///
  /// - Parameter ignoresLimit: Whether it is accepted however many wait.
  @discardableResult
  func ask(_ question: @escaping Question, ignoresLimit: Bool = false) -> Bool {
    let isAccepted = questions.withLock { questions in
      guard ignoresLimit || questions.count < Self.maximumQuestions else { return false }
      questions.append(question)
      return true
    }
    if isAccepted { timer.signal() }
    return isAccepted
  }

  /// The oldest question. One at a time, so that ticks are sent between two of them.
  func takeQuestion() -> Question? {
    questions.withLock { $0.isEmpty ? nil : $0.removeFirst() }
  }

  /// All inputs, in order. Does not wait.
  func take() -> [Input] {
    inputs.withLock { inputs in
      var taken: [Input] = []
      swap(&taken, &inputs)
      return taken
    }
  }

  /// Waits for an input, a wall-clock time, a clock step, or the limit.
  func wait(for wake: Engine.Wake, now: Now, atMostMilliseconds limit: Int64) {
    let untilUptime = wake.uptime.map { $0 - now.uptime } ?? limit
    timer.wait(untilWall: wake.wall, atMostMilliseconds: min(limit, untilUptime))
  }

  /// Waits for an input, or this long.
  func wait(milliseconds: Int64) {
    timer.wait(untilWall: nil, atMostMilliseconds: milliseconds)
  }
}
