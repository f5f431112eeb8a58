// Debug builds only: `nm` of a release build finds no `Failpoint`, and there the variable is refused as unknown.
#if DEBUG
  import Foundation
  import Glibc
  import Recurrence
  import Scheduling
  import Synchronization

  /// What happens at which step, as a test asks for in POCKETWATCH_FAILPOINTS: `afterCommit=kill@3,confirm=delay:2s`.
  ///
  /// Each is `STEP=ACTION`: a case of `Step`, and `kill`, `hang`, `delay:DURATION` or, of beforeCommit, `error` (a full disk).
  /// `@N` makes it the Nth time only. `decode/TEXT` is the decoding of a message with this text in its body.
  final class Failpoints: Sendable {
    static let variable = "POCKETWATCH_FAILPOINTS"
    /// Those of this process. A value that cannot be read has ended it before they are asked for.
    static let armed = ProcessInfo.processInfo.environment[variable].flatMap { try? Failpoints($0) }

    private struct Point {
      var step: Step
      var text: [UInt8] = []
      var action: Action
      var turn: Int?
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
      for word in value.split(separator: ",") {
        guard let point = Self.point(word) else {
          throw ConfigurationError(Self.variable, "\"\(word)\" is no STEP=ACTION such as afterCommit=kill@3")
        }
        points.append(point)
      }
      self.points = Mutex(points)
    }

    private static func point(_ word: Substring) -> Point? {
      guard let equals = word.firstIndex(of: "=") else { return nil }
      let place = word[..<equals].split(separator: "/", maxSplits: 1)
      let deed = word[word.index(after: equals)...].split(separator: "@", omittingEmptySubsequences: false)
      guard let step = Step.allCases.first(where: { "\($0)" == place.first ?? "" }), deed.count <= 2,
        let action = action(deed[0]), action != .error || step == .beforeCommit, place.count == 1 || step == .decode
      else { return nil }
      var point = Point(step: step, action: action)
      if place.count == 2 { point.text = Array(place[1].utf8) }
      if deed.count == 2 {
        guard let turn = Int(deed[1]), turn > 0 else { return nil }
        point.turn = turn
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

    /// Does what is asked for at this step, and says so before. Returns the error to fail with, if that is asked for.
    func reached(_ step: Step, _ body: [UInt8]) -> StoreError? {
      let actions = points.withLock { points in
        points.indices.compactMap { index -> Action? in
          guard points[index].isMet(at: step, with: body) else { return nil }
          points[index].count += 1
          return points[index].turn ?? points[index].count == points[index].count ? points[index].action : nil
        }
      }
      for action in actions { perform(action, at: step) }
      return actions.contains(.error) ? StoreError(.full, "a failpoint says that the disk is full") : nil
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
