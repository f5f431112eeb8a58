import Foundation
import Recurrence
import Testing

/// The zone rules compared with `zdump` on the same files.
@Suite(.enabled(if: TestZones.arePresent && ZoneDump.isPresent, "needs zone files and zdump"))
struct ZoneDumpTests {
  @Test(arguments: TestZones.distinctNames)
  func everyZoneFrom1970To2040(name: String) throws {
    try expectSameTransitions(name, years: 1970...2040)
  }

  /// zdump is slow for distant years, so only one zone per rule is tested.
  @Test(arguments: ZoneDump.namesWithDistinctFuture)
  func everyRuleFrom2037To2299(name: String) throws {
    try expectSameTransitions(name, years: 2037...2299)
  }

  private func expectSameTransitions(_ name: String, years: ClosedRange<Int>) throws {
    let zone = try TestZones.directory.rules(named: name)
    let start = try #require(Instant(rfc3339: "\(years.lowerBound)-01-01T00:00:00Z"))
    let end = try #require(Instant(rfc3339: "\(years.upperBound)-12-31T23:59:59Z"))
    let transitions = zone.transitions(after: start, through: end).map {
      ZoneDump.Offset(start: Int($0.instant.milliseconds / 1000), seconds: $0.newOffsetSeconds)
    }
    let dump = try ZoneDump.offsets(of: name, years: years)
    #expect(zone.offsetSeconds(at: start) == dump.first?.seconds)
    let expected = dump.dropFirst().filter {
      $0.start > start.milliseconds / 1000 && $0.start <= end.milliseconds / 1000
    }
    #expect(transitions == Array(expected))
  }
}

/// Runs zdump and reads what it prints.
enum ZoneDump {
  struct Offset: Equatable {
    /// Seconds since 1970 UTC.
    let start: Int
    let seconds: Int
  }

  private static let path = "/usr/bin/zdump"

  static let isPresent = FileManager.default.isExecutableFile(atPath: path)

  static let namesWithDistinctFuture: [String] = {
    var seen: Set<[ZoneTransition]> = []
    return TestZones.names.filter { name in
      let from = Instant(milliseconds: 2_145_916_800_000)
      let to = Instant(milliseconds: 2_300_000_000_000)
      guard let future = try? TestZones.directory.rules(named: name).transitions(after: from, through: to) else {
        return false
      }
      return seen.insert(future).inserted
    }
  }()

  /// The offsets of a zone in order of time; the first has held since before `years`.
  static func offsets(of name: String, years: ClosedRange<Int>) throws -> [Offset] {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = [
      "-i", "-c", "\(years.lowerBound),\(years.upperBound + 1)", "\(SystemZoneFiles().folder)/\(name)",
    ]
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    var offsets: [Offset] = []
    for line in text.split(separator: "\n") where !line.hasPrefix("TZ=") {
      let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard columns.count >= 3, let seconds = seconds(offset: columns[2]) else { continue }
      let start = columns[0] == "-" ? .min : wallSecond(date: columns[0], time: columns[1]) - seconds
      // Some lines change the abbreviation only.
      if offsets.last?.seconds != seconds { offsets.append(Offset(start: start, seconds: seconds)) }
    }
    return offsets
  }

  /// `+01`, `+0530`, `-004430`.
  private static func seconds(offset: Substring) -> Int? {
    let digits = offset.dropFirst()
    guard let sign = offset.first, "+-".contains(sign) else { return nil }
    let parts = stride(from: 0, to: digits.count, by: 2).map { Int(digits.dropFirst($0).prefix(2)) ?? 0 }
    let seconds = zip(parts, [3600, 60, 1]).reduce(0) { $0 + $1.0 * $1.1 }
    return sign == "-" ? -seconds : seconds
  }

  /// `2026-03-29` and `03`, `03:30` or `00:44:30`, in seconds since 1970-01-01T00:00.
  private static func wallSecond(date: Substring, time: Substring) -> Int {
    let midnight = Instant(rfc3339: "\(date)T00:00:00Z")?.milliseconds ?? .min
    let parts = time.split(separator: ":").map { Int($0) ?? 0 }
    return Int(midnight / 1000) + zip(parts, [3600, 60, 1]).reduce(0) { $0 + $1.0 * $1.1 }
  }
}
