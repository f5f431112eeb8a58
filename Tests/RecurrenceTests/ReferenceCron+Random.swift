/// Generates random expressions in all forms of the dialect, common forms often enough to be combined.
extension ReferenceCron {
  /// Any expression at all.
  static func random(using generator: inout SplitMix64) -> ReferenceCron {
    var cron = ReferenceCron(
      minutes: list(0...59, using: &generator), hours: list(0...23, using: &generator),
      monthDays: monthDays(using: &generator), months: months(using: &generator), weekdays: weekdays(using: &generator))
    if generator.once(in: 3) { cron.seconds = list(0...59, using: &generator) }
    if cron.seconds != nil, generator.once(in: 3) { cron.years = years(using: &generator) }
    cron.daysMustMeet = generator.once(in: 4)
    return cron
  }

  /// One that fires several times on most days, so that a short period has many slots.
  static func frequent(withSeconds: Bool, using generator: inout SplitMix64) -> ReferenceCron {
    var cron = random(using: &generator)
    cron.years = nil
    cron.months = ("*", Set(1...12))
    if !generator.once(in: 3) { cron.monthDays = ("*", [.numbers(Set(1...31))]) }
    if !generator.once(in: 3) { cron.weekdays = ("*", [.numbers(Set(0...6))]) }
    if generator.once(in: 2) {
      // The small hours are when clocks change.
      let hours = (0..<3).map { _ in Int.random(in: 0...4, using: &generator) }
      cron.hours = (hours.map(String.init).joined(separator: ","), Set(hours))
    }
    cron.seconds = withSeconds ? cron.seconds ?? list(0...59, using: &generator) : nil
    return cron
  }

  private static func list(
    _ range: ClosedRange<Int>, names: [String] = [], using generator: inout SplitMix64
  ) -> (text: String, values: Set<Int>) {
    let items = (0..<generator.pick([1, 1, 1, 2, 3])).map { _ in item(range, names: names, using: &generator) }
    return (
      items.map(\.text).joined(separator: ","), items.reduce(into: Set<Int>()) { $0.formUnion($1.values) }
    )
  }

  private static func item(
    _ range: ClosedRange<Int>, names: [String], using generator: inout SplitMix64
  ) -> (text: String, values: Set<Int>) {
    let first = Int.random(in: range, using: &generator)
    let last = Int.random(in: first...range.upperBound, using: &generator)
    let step = generator.pick([1, 2, 3, 5, 7, 15, 20, 61])
    func name(_ number: Int) -> String {
      let index = number - range.lowerBound
      guard names.indices.contains(index), generator.once(in: 2) else { return String(number) }
      return generator.once(in: 2) ? names[index] : names[index].lowercased()
    }
    func every(_ step: Int, of values: ClosedRange<Int>) -> Set<Int> {
      Set(values.filter { ($0 - values.lowerBound) % step == 0 })
    }
    switch Int.random(in: 0..<7, using: &generator) {
    case 0: return ("*", Set(range))
    case 1: return ("*/\(step)", every(step, of: range))
    case 2: return ("\(name(first))-\(name(last))", Set(first...last))
    case 3: return ("\(name(first))-\(name(last))/\(step)", every(step, of: first...last))
    case 4: return ("\(name(first))/\(step)", every(step, of: first...range.upperBound))
    default: return (name(first), [first])
    }
  }

  private static func months(using generator: inout SplitMix64) -> (text: String, values: Set<Int>) {
    let names = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
    return generator.once(in: 2) ? ("*", Set(1...12)) : list(1...12, names: names, using: &generator)
  }

  private static func years(using generator: inout SplitMix64) -> (text: String, values: Set<Int>) {
    let first = Int.random(in: 1970...2199, using: &generator)
    let last = Int.random(in: first...2199, using: &generator)
    return generator.once(in: 2) ? ("\(first)", [first]) : ("\(first)-\(last)", Set(first...last))
  }

  private static func monthDays(using generator: inout SplitMix64) -> (text: String, rules: [DayRule]) {
    let day = generator.pick([1, 2, 3, 15, 28, 29, 30, 31])
    switch Int.random(in: 0..<12, using: &generator) {
    case 0: return ("L", [.last])
    case 1: return ("\(day),L", [.numbers([day]), .last])
    case 2: return ("LW", [.lastWorkday])
    case 3, 4: return ("\(day)W", [.nearestWorkday(day)])
    case 5: return ("?", [.numbers(Set(1...31))])
    case 6, 7, 8: return ("*", [.numbers(Set(1...31))])
    default:
      let (text, values) = list(1...31, using: &generator)
      return (text, [.numbers(values)])
    }
  }

  private static func weekdays(using generator: inout SplitMix64) -> (text: String, rules: [DayRule]) {
    let names = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
    let day = Int.random(in: 0...6, using: &generator)
    let ordinal = Int.random(in: 1...5, using: &generator)
    switch Int.random(in: 0..<12, using: &generator) {
    case 0: return ("\(day)L", [.lastWeekday(day)])
    case 1: return ("\(names[day])#L", [.lastWeekday(day)])
    case 2: return ("\(names[day].lowercased())#\(ordinal)", [.nthWeekday(day, ordinal)])
    case 3: return ("\(day)#\(ordinal),7", [.nthWeekday(day, ordinal), .numbers([0])])
    case 4: return ("\(names[day])-SUN", [.numbers(day == 0 ? [0] : Set(day...6).union([0]))])
    case 5: return ("?", [.numbers(Set(0...6))])
    case 6, 7, 8: return ("*", [.numbers(Set(0...6))])
    default:
      let (text, values) = list(0...6, names: names, using: &generator)
      return (text, [.numbers(values)])
    }
  }
}
