// Debug builds only: `nm` of a release build finds no `Failpoint`, and a release build rejects the variable as unknown.
#if DEBUG
  import Foundation
  import Glibc
  import Recurrence
  import Scheduling
  import Synchronization

  /// Faults that a test injects at steps, by POCKETWATCH_FAILPOINTS: `afterCommit=kill@3,confirm=delay:2s`.
  ///
  /// Each is `STEP=ACTION`: a case of `Step`, and `kill`, `hang`, `delay:DURATION` or, for beforeCommit only, `error` (a full
  /// disk). `@N` limits it to the Nth time. `decode/TEXT` is the decoding of a message with this text in its body.
  final class Failpoints: Sendable {
    static let variable = "POCKETWATCH_FAILPOINTS"
    /// The failpoints of this process. An invalid value ends the process at start, before this is read.
    static let armed = ProcessInfo.processInfo.environment[variable].flatMap { try? Failpoints($0) }

    private struct Point {
      var step: Step
      var text: [UInt8] = []
      var action: Action
      /// Which time it acts; nil for every time.
      var occurrence: Int?
      var count = 0

      func isMet(at step: Step, with body: [UInt8]) -> Bool {
        self.step == step && (text.isEmpty || body.firstRange(of: text) != nil)
      }
    }

    private enum Action: Equatable {
      case kill, hang, error
      case delay(milliseconds: Int64)
    }

    private let points: Mutex<[Point]>

    init(_ value: String) throws(ConfigurationError) {
      var points: [Point] = []
      for text in value.split(separator: ",") {
        guard let point = Self.point(text) else {
          throw ConfigurationError(Self.variable, "\"\(text)\" must be STEP=ACTION, such as afterCommit=kill@3")
        }
        points.append(point)
      }
      self.points = Mutex(points)
    }

    private static func point(_ text: Substring) -> Point? {
      guard let equals = text.firstIndex(of: "=") else { return nil }
      let stepParts = text[..<equals].split(separator: "/", maxSplits: 1)
      let actionParts = text[text.index(after: equals)...].split(separator: "@", omittingEmptySubsequences: false)
      guard let step = Step.allCases.first(where: { "\($0)" == stepParts.first ?? "" }), actionParts.count <= 2,
        let action = action(actionParts[0]), action != .error || step == .beforeCommit,
        stepParts.count == 1 || step == .decode
      else { return nil }
      var point = Point(step: step, action: action)
      if stepParts.count == 2 { point.text = Array(stepParts[1].utf8) }
      if actionParts.count == 2 {
        guard let occurrence = Int(actionParts[1]), occurrence > 0 else { return nil }
        point.occurrence = occurrence
      }
      return point
    }

    private static func action(_ text: Substring) -> Action? {
      switch text {
      case "kill": .kill
      case "hang": .hang
      case "error": .error
      case _ where text.hasPrefix("delay:"):
        (try? DurationExpression(String(text.dropFirst(6))).milliseconds).map { .delay(milliseconds: $0) }
      default: nil
      }
    }

    /// Announces and performs the actions at this step. Returns the error to fail with, if a test requests one.
    func reached(_ step: Step, _ body: [UInt8]) -> StoreError? {
      let actions = points.withLock { points in
        points.indices.compactMap { index -> Action? in
          guard points[index].isMet(at: step, with: body) else { return nil }
          points[index].count += 1
          return points[index].occurrence ?? points[index].count == points[index].count ? points[index].action : nil
        }
      }
      for action in actions { perform(action, at: step) }
      return actions.contains(.error) ? StoreError(.full, "a failpoint reports a full disk") : nil
    }

    private func perform(_ action: Action, at step: Step) {
      FileHandle.standardError.write(Data("failpoint: \(step) \(action)\n".utf8))
      switch action {
      case .kill: kill(getpid(), SIGKILL)
      case .hang: while true { pause() }
      case .delay(let milliseconds): usleep(UInt32(clamping: milliseconds * 1000))
      case .error: break
      }
    }
  }
#endif
