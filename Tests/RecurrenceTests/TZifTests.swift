import Foundation
import Recurrence
import Testing

/// The parser of zone files, on valid and hostile files.
struct TZifTests {
  @Test func readsTransitionsInOrder() throws {
    let file = TZifBuilder(transitions: [(0, 1), (100, 0), (200, 0)], offsets: [3600, -7200])
    let zone = try ZoneRules(name: "Test/Zone", tzif: file.bytes)
    #expect(offsets(of: zone, at: [-1, 0, 99, 100, 5000]) == [3600, -7200, -7200, 3600, 3600])
    let transitions = zone.transitions(after: Instant(milliseconds: .min), through: Instant(milliseconds: .max))
    #expect(transitions.map(\.instant.milliseconds) == [0, 100_000])
  }

  @Test func readsTheOldFormat() throws {
    let file = TZifBuilder(version: 0, transitions: [(0, 1), (100, 0)], offsets: [3600, -7200])
    let zone = try ZoneRules(name: "Test/Zone", tzif: file.block(width: 4))
    #expect(offsets(of: zone, at: [-1, 0, 99, 100, 5000]) == [3600, -7200, -7200, 3600, 3600])
  }

  /// Each form of rule in POSIX and RFC 9636, with the transitions of 2027 and 2028 in UTC.
  @Test(
    arguments: [
      ("CET-1CEST,M3.5.0,M10.5.0/3", ["2027-03-28T01:00", "2027-10-31T01:00", "2028-03-26T01:00", "2028-10-29T01:00"]),
      ("EST5EDT,M3.2.0,M11.1.0", ["2027-03-14T07:00", "2027-11-07T06:00", "2028-03-12T07:00", "2028-11-05T06:00"]),
      (
        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
        ["2027-04-03T15:00", "2027-10-02T15:30", "2028-04-01T15:00", "2028-09-30T15:30"]
      ),
      ("IST-1GMT0,M10.5.0,M3.5.0/1", ["2027-03-28T01:00", "2027-10-31T01:00", "2028-03-26T01:00", "2028-10-29T01:00"]),
      (
        "EET-2EEST,M3.4.4/50,M10.4.4/50",
        ["2027-03-27T00:00", "2027-10-29T23:00", "2028-03-25T00:00", "2028-10-27T23:00"]
      ),
      (
        "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
        ["2027-03-28T01:00", "2027-10-31T01:00", "2028-03-26T01:00", "2028-10-29T01:00"]
      ),
      ("AAA0BBB,J60,J300/0", ["2027-03-01T02:00", "2027-10-26T23:00", "2028-03-01T02:00", "2028-10-26T23:00"]),
      ("AAA0BBB,59,299/0", ["2027-03-01T02:00", "2027-10-26T23:00", "2028-02-29T02:00", "2028-10-25T23:00"]),
      ("AAA0", []), ("XXX3EDT4,0/0,J365/23", []), ("AAA0:30:15", []),
    ] as [(String, [String])])
  func readsRules(footer: String, expected: [String]) throws {
    let file = TZifBuilder(transitions: [(0, 0)], footer: "\n\(footer)\n")
    let zone = try ZoneRules(name: "Test/Zone", tzif: file.bytes)
    let start = try #require(Instant(rfc3339: "2027-01-01T12:00:00Z"))
    let end = try #require(Instant(rfc3339: "2028-12-31T12:00:00Z"))
    let transitions = zone.transitions(after: start, through: end).map { String($0.instant.rfc3339.prefix(16)) }
    #expect(transitions == expected)
  }

  /// A rule begins where the listed transitions end: in the middle of a year, or in its first days, which may belong to the rule
  /// of the previous year.
  @Test(arguments: [
    ("CET-1CEST,M3.5.0,M10.5.0/3", "2027-01-15T00:00:00Z", "2027-03-28T01:00"),
    ("CET-1CEST,M3.5.0,M10.5.0/3", "2027-06-15T00:00:00Z", "2027-10-31T01:00"),
    ("AAA0BBB,J365/100,J100", "2027-01-01T00:00:00Z", "2027-01-04T04:00"),
  ])
  func followsTheRuleAfterTheLastTransition(footer: String, last: String, next: String) throws {
    let last = try #require(Instant(rfc3339: last))
    let start = (start: last.milliseconds / 1000, type: UInt8(1))
    let file = TZifBuilder(transitions: [start], offsets: [0, 1800], footer: "\n\(footer)\n")
    let zone = try ZoneRules(name: "Test/Zone", tzif: file.bytes)
    let transitions = zone.transitions(after: last, through: Instant(milliseconds: .max))
    #expect(transitions.first.map { String($0.instant.rfc3339.prefix(16)) } == next)
  }

  @Test(
    arguments: [
      ("it is not a TZif file", Array("TZiX".utf8) + [UInt8](repeating: 0, count: 100)), ("it is truncated", []),
      ("it is truncated", Array(TZifBuilder(transitions: [(0, 0)]).bytes.dropLast(20))),
      ("its transitions are out of order", TZifBuilder(transitions: [(5, 0), (5, 0)]).bytes),
      ("it refers to a missing offset", TZifBuilder(transitions: [(5, 1)]).bytes),
      ("it refers to a missing offset", TZifBuilder(offsets: []).bytes),
      ("it has an offset of more than a day", TZifBuilder(offsets: [.min]).bytes),
      ("it has an offset of more than a day", TZifBuilder(offsets: [93_600]).bytes),
      ("it has leap seconds", TZifBuilder(leapSeconds: 1).bytes),
      ("its footer is missing", TZifBuilder(footer: "").bytes),
      ("its footer is missing", TZifBuilder(footer: "\nCET-1").bytes),
    ]
      + [
        "CET", "CET-", "C1", "CET-25", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J300", "CET-1CEST,366,300", "CET-1CEST,M3.5.0/168,M10.5.0", "<CET-1",
        "CET-1 ",
        "CET-1CEST,M3.5.0,M10.5.0,", "CET-1:60", "CET-99999999999999999999", "<>1",
      ].map { ("its footer cannot be read", TZifBuilder(footer: "\n\($0)\n").bytes) })
  func refusesWithAReason(reason: String, bytes: [UInt8]) {
    let error = #expect(throws: TZifError.self) { try ZoneRules(name: "Test/Zone", tzif: bytes) }
    #expect(error?.reason == reason)
  }

  /// Counts of four billion, and times beyond all calendars.
  @Test func acceptsOrRejectsHugeNumbers() throws {
    var bytes = TZifBuilder(transitions: [(0, 0)]).bytes
    for index in 20..<44 { bytes[index] = 0xFF }
    #expect(throws: TZifError.self) { try ZoneRules(name: "Test/Zone", tzif: bytes) }
    let file = TZifBuilder(
      transitions: [(.min, 1), (0, 0), (.max, 1)], offsets: [3600, 7200], footer: "\nCET-1CEST,M3.5.0,M10.5.0\n")
    let zone = try ZoneRules(name: "Test/Zone", tzif: file.bytes)
    #expect(offsets(of: zone, at: [-1, 0, 1_800_000_000]) == [7200, 3600, 3600])
  }

  /// Real files with some bytes changed, removed or duplicated: parsed or rejected, and slots can be computed.
  @Test(arguments: 0..<8)
  func acceptsOrRejectsDamagedFiles(seed: Int) throws {
    var generator = SplitMix64(seed: 5000 + seed)
    let expression = try CronExpression("30 2 * * *")
    let periodic = try CronExpression("*/20 * * * *")
    let file = TZifBuilder(
      transitions: (0..<20).map { ($0 * 15_000_000, UInt8($0 % 3)) }, offsets: [3600, 7200, -1800],
      footer: "\nCET-1CEST,M3.5.0,M10.5.0/3\n")
    for _ in 0..<150 {
      var bytes = file.bytes
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
      }
      if generator.once(in: 4) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator)) }
      guard let zone = try? ZoneRules(name: "Test/Zone", tzif: bytes) else { continue }
      let instant = Instant(milliseconds: .random(in: -(1 << 42)...(1 << 43), using: &generator))
      for expression in [expression, periodic] {
        let next = try #require(expression.next(after: instant, in: zone))
        #expect(next > instant)
        #expect(expression.latest(atOrBefore: next, in: zone) == next)
      }
    }
  }

  private func offsets(of zone: ZoneRules, at seconds: [Int64]) -> [Int] {
    seconds.map { zone.offsetSeconds(at: Instant(milliseconds: $0 * 1000)) }
  }
}
