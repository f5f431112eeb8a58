import ArgumentParser
import PocketwatchService
import Recurrence
import Scheduling

struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Describe a cron expression in plain English.",
    discussion: "With --timezone, also lists the effects of clock changes within a year.")

  @Argument(help: "A cron expression, quoted: '30 2 * * SUN'.")
  var expression: String

  @OptionGroup var zone: ZoneOption

  private static let yearMilliseconds: Int64 = 366 * 86_400_000

  func run() throws {
    try orRefuse {
      let expression = try CronExpression(expression)
      let rules = try zone.rules()
      try printLine(expression.explanation)
      if let note = expression.weekdayNumbersNote { try printLine(note) }
      let now = SystemClock.now().wall
      let effects = expression.clockChangeEffects(
        after: now, through: now.advanced(byMilliseconds: Self.yearMilliseconds), in: rules)
      for effect in effects {
        try printLine("\(effect.transition.instant.rfc3339(in: rules))  \(effect.explanation)")
      }
    }
  }
}
