import AMQP
import Scheduling
import Synchronization

/// What other threads have to tell the engine's thread.
final class Inbox: Sendable {
  enum Input: Sendable {
    case publisher(Publisher.Event)
    case consumer(Consumer.Event)
    /// Deliveries, decoded on the consumer's thread.
    case commands([ReceivedCommand], epoch: UInt64)
    /// Look at the files of the time zones now.
    case refreshZones
    case fail(ServiceFailure)
    case stop

    var isStop: Bool { if case .stop = self { true } else { false } }
  }

  /// Looks something up in the store, for people; a few milliseconds at most.
  typealias Question = @Sendable (any ScheduleQueries) -> Void

  /// The most questions that wait.
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
    if isFirst { timer.ring() }
  }

  /// From any thread. False when too many wait already, unless it has to be taken all the same.
  @discardableResult
  func ask(_ question: @escaping Question, isMust: Bool = false) -> Bool {
    let isTaken = questions.withLock { questions in
      guard isMust || questions.count < Self.maximumQuestions else { return false }
      questions.append(question)
      return true
    }
    if isTaken { timer.ring() }
    return isTaken
  }

  /// The question that has waited longest, alone: between two of them ticks are sent.
  func takeQuestion() -> Question? {
    questions.withLock { $0.isEmpty ? nil : $0.removeFirst() }
  }

  /// All that has come, in order; empty at once when nothing has.
  func take() -> [Input] {
    inputs.withLock { inputs in
      var taken: [Input] = []
      swap(&taken, &inputs)
      return taken
    }
  }

  /// Waits for an input, a wall-clock time, a step of the clock, or so many milliseconds.
  func wait(for wake: Engine.Wake, now: Now, atMostMilliseconds limit: Int64) {
    let untilUptime = wake.uptime.map { $0 - now.uptime } ?? limit
    timer.wait(untilWall: wake.wall, atMostMilliseconds: min(limit, untilUptime))
  }

  /// Waits for an input, or so many milliseconds.
  func wait(milliseconds: Int64) {
    timer.wait(untilWall: nil, atMostMilliseconds: milliseconds)
  }
}
