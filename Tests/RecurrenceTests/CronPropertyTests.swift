import Recurrence
import Testing

/// Random expressions, zones and instants against a reference that checks every minute.

struct CronPropertyTests {
  /// A failing seed reproduces its case.
  static let seeds = Array(0..<40)

  /// Some hours around a clock change, if the zone has one, else anywhere: all slots, in both directions.
  @Test(arguments: seeds)
  func slotsEqualTheReference(seed: Int) throws {
    var generator = SplitMix64(seed: seed)
    for _ in 0..<5 {
      let zone = try Self.zone(using: &generator)
      let withSeconds = generator.once(in: 4)
      let cron = ReferenceCron.frequent(withSeconds: withSeconds, using: &generator)
      guard let expression = try? CronExpression(cron.description) else { continue }
      let length = withSeconds ? 3 * 3600 : 30 * 3600
      let start = Self.interestingSecond(in: zone, before: length, using: &generator)
      let expected = cron.slots(after: start, through: start + length, in: zone)
      try Self.expectSlots(expected, of: expression, after: start, through: start + length, in: zone)
      let changes = zone.transitions(after: Self.instant(start), through: Self.instant(start + length)).map(\.instant)
      let others = (0..<8).map { _ in Self.instant(start + Int.random(in: 0..<length, using: &generator)) }
      for instant in changes + changes.map({ $0.advanced(byMilliseconds: -1) }) + others {
        try Self.expectNeighbours(of: instant, among: expected, of: expression, in: zone)
      }
    }
  }

  /// `slots` are those around `instant`; others are not checked.
  private static func expectNeighbours(
    of instant: Instant, among slots: [Int], of expression: CronExpression, in zone: ZoneRules
  ) throws {
    let comment = Comment("\(expression.text) in \(zone.name) at \(instant.rfc3339)")
    if let next = slots.first(where: { Self.instant($0) > instant }) {
      #expect(expression.next(after: instant, in: zone) == Self.instant(next), comment)
    }
    if let latest = slots.last(where: { Self.instant($0) <= instant }) {
      #expect(expression.latest(atOrBefore: instant, in: zone) == Self.instant(latest), comment)
    }
  }

  private static func expectSlots(
    _ expected: [Int], of expression: CronExpression, after start: Int, through end: Int, in zone: ZoneRules
  ) throws {
    let comment = Comment("\(expression.text) in \(zone.name) after \(instant(start).rfc3339)")
    var forward: [Int] = []
    var slot = instant(start)
    while let next = expression.next(after: slot, in: zone), next <= instant(end) {
      guard next > slot else { return #expect(next > slot, comment) }
      slot = next
      forward.append(Int(next.milliseconds) / 1000)
    }
    #expect(forward == expected, comment)
    var backward: [Int] = []
    slot = instant(end)
    while let latest = expression.latest(atOrBefore: slot, in: zone), latest > instant(start) {
      guard latest <= slot else { return #expect(latest <= slot, comment) }
      slot = latest.advanced(byMilliseconds: -1)
      backward.append(Int(latest.milliseconds) / 1000)
    }
    #expect(backward.reversed() == expected, comment)
    let count = expression.slotCount(after: instant(start), through: instant(end), in: zone, upTo: 1000)
    #expect(count == min(expected.count, 1000), comment)
  }

  /// Distant dates. The rarest expression fires every 40 years at least (29 February on a certain weekday, across 2100).
  @Test(arguments: seeds)
  func daysEqualTheReference(seed: Int) throws {
    var generator = SplitMix64(seed: 1000 + seed)
    for _ in 0..<5 {
      let cron = ReferenceCron.random(using: &generator)
      let hasAnyDay = cron.firstDay(in: ReferenceDay.all.indices) != nil
      guard let expression = try? CronExpression(cron.description) else {
        #expect(!hasAnyDay, "\(cron) was refused")
        continue
      }
      #expect(hasAnyDay, "\(cron) never comes")
      let today = Int.random(in: 0..<ReferenceDay.all.count - 1, using: &generator)
      let midnight = Self.instant((today + 1) * 86_400)
      let next = cron.firstDay(in: today + 1..<ReferenceDay.all.count)
      let following = expression.next(after: midnight.advanced(byMilliseconds: -1), in: .utc)
      #expect(Self.day(following) == next, "\(cron) from \(midnight.rfc3339)")
      let latest = cron.lastDay(in: 0..<today + 1)
      let preceding = Self.day(expression.latest(atOrBefore: midnight.advanced(byMilliseconds: -1), in: .utc))
      // The reference begins in 1970, the expression earlier.
      #expect(preceding.flatMap { $0 < 0 ? nil : $0 } == latest, "\(cron) before \(midnight.rfc3339)")
    }
  }

  /// `next` is constant between slots, `latest` is its inverse, and both ignore milliseconds.
  @Test(arguments: seeds)
  func neighboursAgree(seed: Int) throws {
    var generator = SplitMix64(seed: 2000 + seed)
    for _ in 0..<50 {
      let zone = try Self.zone(using: &generator)
      let cron = ReferenceCron.random(using: &generator)
      guard let expression = try? CronExpression(cron.description) else { continue }
      let from = Self.instant(Self.interestingSecond(in: zone, before: 86_400, using: &generator))
        .advanced(byMilliseconds: Int64.random(in: 0...999, using: &generator))
      let comment = Comment("\(cron) in \(zone.name) from \(from.rfc3339)")
      guard let next = expression.next(after: from, in: zone) else { continue }
      #expect(next > from, comment)
      #expect(next.milliseconds % 1000 == 0, comment)
      let between = Instant(
        milliseconds: Int64.random(in: from.milliseconds..<next.milliseconds, using: &generator))
      #expect(expression.next(after: between, in: zone) == next, comment)
      #expect(expression.latest(atOrBefore: next, in: zone) == next, comment)
      let latest = expression.latest(atOrBefore: between, in: zone)
      #expect(latest == expression.latest(atOrBefore: from, in: zone), comment)
      if let latest {
        #expect(latest <= from, comment)
        #expect(expression.next(after: latest.advanced(byMilliseconds: -1), in: zone) == latest, comment)
      }
    }
  }

  @Test(arguments: seeds)
  func aSecondsFieldOfZeroChangesNothing(seed: Int) throws {
    var generator = SplitMix64(seed: 3000 + seed)
    for _ in 0..<25 {
      let zone = try Self.zone(using: &generator)
      var cron = ReferenceCron.random(using: &generator)
      cron.seconds = nil
      cron.years = nil
      let from = Self.instant(Self.interestingSecond(in: zone, before: 86_400, using: &generator))
      let five = try? CronExpression("\(cron)").next(after: from, in: zone)
      let six = try? CronExpression("0 \(cron)").next(after: from, in: zone)
      #expect(five == six, "\(cron) in \(zone.name) from \(from.rfc3339)")
    }
  }

  /// Clocks never change at noon.
  @Test(arguments: TestZones.distinctNames)
  func noonNeverMoves(name: String) throws {
    let zone = try #require(try TestZones.rules(named: name))
    let noon = try CronExpression("0 12 * * *")
    var slot = try #require(Instant(rfc3339: "2024-01-01T12:00:00Z"))
    for _ in 0..<370 {
      let next = try #require(noon.next(after: slot, in: zone))
      #expect(next.rfc3339(in: zone).contains("T12:00:00.000"))
      #expect(next.milliseconds - slot.milliseconds <= 26 * 3_600_000)
      slot = next
    }
  }

  // MARK: Random values

  private static func instant(_ second: Int) -> Instant { Instant(milliseconds: Int64(second) * 1000) }

  /// The day of an instant, counted from 1970-01-01.
  private static func day(_ instant: Instant?) -> Int? {
    instant.map { Int((Double($0.milliseconds) / 86_400_000).rounded(.down)) }
  }

  private static func zone(using generator: inout SplitMix64) throws -> ZoneRules {
    guard TestZones.arePresent else { return .utc }
    // These change by half an hour, by two hours, at midnight, by a whole day.
    let special = [
      "Australia/Lord_Howe", "Antarctica/Troll", "America/Havana", "Pacific/Apia", "Africa/Casablanca", "Asia/Gaza",
      "America/St_Johns", "America/New_York", "Europe/Rome", "Europe/Dublin",
    ]
    return try TestZones.directory.rules(named: generator.pick(generator.once(in: 2) ? special : TestZones.names))
  }

  /// A whole minute less than `length` before a clock change. Sometimes, and without a clock change, any minute from 1975 to
  /// 2299 (earlier, some offsets were not whole minutes).
  private static func interestingSecond(
    in zone: ZoneRules, before length: Int, using generator: inout SplitMix64
  ) -> Int {
    let years = Instant(milliseconds: 157_766_400_000)
    let any = Int.random(in: 157_766_400...10_413_705_600, using: &generator)
    let changes = zone.transitions(after: years, through: instant(10_413_705_600))
    guard !changes.isEmpty, !generator.once(in: 5) else { return any / 60 * 60 }
    let change = Int(generator.pick(changes).instant.milliseconds) / 1000
    return (change - Int.random(in: 0..<length, using: &generator)) / 60 * 60
  }
}
