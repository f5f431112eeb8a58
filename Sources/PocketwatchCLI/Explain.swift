import ArgumentParser
import PocketwatchService
import Recurrence
import Scheduling

struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say in words what a cron expression means.",
    discussion: "With --timezone it says, too, what the changes of the clocks within a year do to it.")

  @Argument(help: "A cron expression, quoted: '30 2 * * SUN'.")
  var expression: String

  @OptionGroup var zone: ZoneOption

  private static let yearMilliseconds: Int64 = 366 * 86_400_000

  func run() throws {
    try orRefuse {
      let expression = try CronExpression(expression)
      let rules = try zone.rules()
      printLine(expression.words)
      let now = SystemClock.now().wall
      let effects = expression.clockChangeEffects(
        after: now, through: now.advanced(byMilliseconds: Self.yearMilliseconds), in: rules)
      for effect in effects {
        printLine("\(effect.transition.instant.rfc3339(in: rules))  \(effect.words)")
      }
    }
  }
}

extension ClockChangeEffect {
  /// What happens to the times that the change of the clocks leaves out or shows twice.
  fileprivate var words: String {
    let minutes = (transition.newOffsetSeconds - transition.oldOffsetSeconds) / 60
    let outcome =
      switch kind {
      case .movedToJump: "times that are left out come once, right after it"
      case .skipped: "times that are left out do not come"
      case .onlyFirst: "times that are shown twice come the first time only"
      case .repeated: "times that are shown twice come twice"
      }
    return "clocks go \(minutes > 0 ? "forward" : "back") by \(abs(minutes)) minutes: \(outcome)"
  }
}
