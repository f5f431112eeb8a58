import Bytes

extension Instant {
  /// How a fraction of a second is rounded to milliseconds.
  package enum Rounding: Sendable {
    case down
    case up
  }

  /// Parses an RFC 3339 date-time; `nil` if it is malformed.
  ///
  /// Accepts any offset and any number of fraction digits. A leap second (`23:59:60` UTC on the last day of a month) means the
  /// instant after it, as in POSIX time.
  package init?(rfc3339 text: String, rounding: Rounding = .down) {
    self.init(rfc3339: Array(text.utf8), rounding: rounding)
  }

  /// Parses an RFC 3339 date-time in UTF-8; `nil` if it is malformed.
  package init?(rfc3339 bytes: some Collection<UInt8>, rounding: Rounding = .down) {
    var reader = RFC3339Reader(Array(bytes)[...])
    guard let milliseconds = reader.milliseconds(rounding: rounding) else { return nil }
    self.init(milliseconds: milliseconds)
  }

  /// The instant in UTC, always with milliseconds: `2026-11-23T08:30:00.000Z`.
  ///
  /// Years outside 0 to 9999, which RFC 3339 does not allow, have a sign and may have more digits.
  package var rfc3339: String {
    withRFC3339 { String(decoding: $0, as: UTF8.self) }
  }

  /// As `rfc3339`, in bytes that are valid only inside `body`.
  package func withRFC3339<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    var text = RFC3339Text(milliseconds: Int(milliseconds))
    text.append("Z")
    return text.withBytes(body)
  }

  /// The instant in the zone's local time, with the offset from UTC: `2026-11-23T09:30:00.000+01:00`.
  ///
  /// RFC 3339 has offsets in whole minutes only. Offsets with seconds, in use until 1972, are rounded towards zero.
  package func rfc3339(in zone: ZoneRules) -> String {
    let minutes = zone.offsetSeconds(at: self) / 60
    var text = RFC3339Text(milliseconds: Int(advanced(byMilliseconds: Int64(minutes) * 60_000).milliseconds))
    text.append(minutes < 0 ? "-" : "+")
    text.append(twoDigits: abs(minutes) / 60)
    text.append(":")
    text.append(twoDigits: abs(minutes) % 60)
    return text.string
  }
}

/// Formats a date-time, without allocations, because every tick carries several.
private struct RFC3339Text {
  /// Large enough for a sign, a year of nine digits, and an offset.
  private var bytes = [40 of UInt8](repeating: 0)
  private var count = 0

  var string: String { withBytes { String(decoding: $0, as: UTF8.self) } }

  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    bytes.span.extracting(first: count).withUnsafeBytes(body)
  }

  /// Date and time without an offset; `milliseconds` since 1970.
  init(milliseconds: Int) {
    let seconds = milliseconds.flooredQuotient(by: 1000)
    let date = CivilDate(daysSince1970: seconds.flooredQuotient(by: .secondsPerDay))
    let second = seconds.flooredRemainder(by: .secondsPerDay)
    append(year: date.year)
    append("-")
    append(twoDigits: date.month)
    append("-")
    append(twoDigits: date.day)
    append("T")
    append(twoDigits: second / 3600)
    append(":")
    append(twoDigits: second / 60 % 60)
    append(":")
    append(twoDigits: second % 60)
    append(".")
    let millisecond = milliseconds.flooredRemainder(by: 1000)
    append(digit: millisecond / 100)
    append(twoDigits: millisecond % 100)
  }

  mutating func append(_ character: Unicode.Scalar) {
    append(UInt8(ascii: character))
  }

  private mutating func append(_ byte: UInt8) {
    bytes[count] = byte
    count += 1
  }

  /// At least four digits.
  private mutating func append(year: Int) {
    if !(0...9999 ~= year) { append(year < 0 ? "-" : "+") }
    if abs(year) <= 9999 {
      append(twoDigits: abs(year) / 100)
      append(twoDigits: abs(year) % 100)
    } else {
      for digit in String(abs(year)).utf8 { append(digit) }
    }
  }

  mutating func append(twoDigits number: Int) {
    append(digit: number / 10)
    append(digit: number % 10)
  }

  private mutating func append(digit: Int) {
    append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit))
  }
}

/// Parses `date-time` of RFC 3339, section 5.6.
private struct RFC3339Reader {
  private var scanner: ByteScanner

  init(_ bytes: ArraySlice<UInt8>) {
    scanner = ByteScanner(bytes)
  }

  mutating func milliseconds(rounding: Instant.Rounding) -> Int64? {
    guard let date = date(), scanner.skip("T"),
      let hour = number(2, within: 0...23), scanner.skip(":"),
      let minute = number(2, within: 0...59), scanner.skip(":"),
      let second = number(2, within: 0...60),
      let fraction = fraction(rounding: rounding),
      let offset = offsetMinutes(), scanner.isAtEnd
    else { return nil }
    let minutes = date.daysSince1970 * 1440 + hour * 60 + minute - offset
    if second == 60, !Self.isLastOfMonth(minute: minutes) { return nil }
    return Int64((minutes * 60 + second) * 1000 + fraction)
  }

  private mutating func date() -> CivilDate? {
    guard let year = number(4, within: 0...9999), scanner.skip("-"),
      let month = number(2, within: 1...12), scanner.skip("-"),
      let day = number(2, within: 1...CivilMonth.length(ofMonth: month, in: year))
    else { return nil }
    return CivilDate(year: year, month: month, day: day)
  }

  private mutating func number(_ width: Int, within range: ClosedRange<Int>) -> Int? {
    var value = 0
    for _ in 0..<width {
      guard let digit = scanner.next, digit.isDigit else { return nil }
      value = value * 10 + digit.digitValue
      scanner.advance()
    }
    return range ~= value ? value : nil
  }

  /// Milliseconds, 0 to 1000; 0 without a fraction.
  private mutating func fraction(rounding: Instant.Rounding) -> Int? {
    guard scanner.skip(".") else { return 0 }
    let digits = scanner.take { $0.isDigit }
    guard !digits.isEmpty else { return nil }
    let milliseconds = (0..<3).reduce(0) { value, index in
      value * 10 + (index < digits.count ? digits[digits.startIndex + index].digitValue : 0)
    }
    let isInexact = digits.dropFirst(3).contains { $0.digitValue != 0 }
    return isInexact && rounding == .up ? milliseconds + 1 : milliseconds
  }

  /// Minutes ahead of UTC.
  private mutating func offsetMinutes() -> Int? {
    if scanner.skip("Z") { return 0 }
    let isBehind = scanner.skip("-")
    guard isBehind || scanner.skip("+"),
      let hours = number(2, within: 0...23), scanner.skip(":"),
      let minutes = number(2, within: 0...59)
    else { return nil }
    return (hours * 60 + minutes) * (isBehind ? -1 : 1)
  }

  /// Whether a minute, counted from 1970 in UTC, is the last of its month. Only then can a leap second follow.
  private static func isLastOfMonth(minute: Int) -> Bool {
    let next = minute + 1
    return next.flooredRemainder(by: 1440) == 0 && CivilDate(daysSince1970: next.flooredQuotient(by: 1440)).day == 1
  }
}
