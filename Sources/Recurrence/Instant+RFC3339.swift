extension Instant {
  /// What becomes of a fraction of a second finer than a millisecond.
  package enum Rounding: Sendable {
    case down
    case up
  }

  /// The instant an RFC 3339 date-time names; `nil` if the text is none.
  ///
  /// Any offset and any number of fraction digits are read. A leap second (`23:59:60` UTC on the last day of a month) is
  /// the instant after it, as on every POSIX clock.
  package init?(rfc3339 text: String, rounding: Rounding = .down) {
    self.init(rfc3339: Array(text.utf8), rounding: rounding)
  }

  /// The instant an RFC 3339 date-time names; `nil` if the bytes are none.
  package init?(rfc3339 bytes: some Collection<UInt8>, rounding: Rounding = .down) {
    var reader = RFC3339Reader(Array(bytes)[...])
    guard let milliseconds = reader.milliseconds(rounding: rounding) else { return nil }
    self.init(milliseconds: milliseconds)
  }

  /// The instant in UTC, always with milliseconds: `2026-11-23T08:30:00.000Z`.
  ///
  /// Outside the years 0 to 9999, which RFC 3339 cannot write, the year has a sign and more digits.
  package var rfc3339: String {
    withRFC3339 { String(decoding: $0, as: UTF8.self) }
  }

  /// The same as bytes, valid only inside of `body`.
  package func withRFC3339<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    var text = RFC3339Text(milliseconds: Int(milliseconds))
    text.append("Z")
    return text.withBytes(body)
  }

  /// The instant as the zone's wall clocks show it, with the offset from UTC: `2026-11-23T09:30:00.000+01:00`.
  ///
  /// RFC 3339 knows offsets in whole minutes only; one with seconds, as there were until 1972, is rounded towards zero.
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

/// Writes a date-time; byte by byte, since every tick carries several.
private struct RFC3339Text {
  /// Room for the longest: a sign, nine digits of a year, an offset.
  private var bytes = [40 of UInt8](repeating: 0)
  private var count = 0

  var string: String { withBytes { String(decoding: $0, as: UTF8.self) } }

  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    bytes.span.extracting(first: count).withUnsafeBytes(body)
  }

  /// Date and time of a clock that shows so many milliseconds since 1970, without offset.
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

/// Reads `date-time` of RFC 3339, section 5.6.
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

  /// Milliseconds, 0 to 1000; 0 where there is no fraction.
  private mutating func fraction(rounding: Instant.Rounding) -> Int? {
    guard scanner.skip(".") else { return 0 }
    let digits = scanner.take { $0.isDigit }
    guard !digits.isEmpty else { return nil }
    let milliseconds = (0..<3).reduce(0) { value, place in
      value * 10 + (place < digits.count ? digits[digits.startIndex + place].digitValue : 0)
    }
    let isInexact = digits.dropFirst(3).contains { $0.digitValue != 0 }
    return isInexact && rounding == .up ? milliseconds + 1 : milliseconds
  }

  /// Minutes that local time is ahead of UTC.
  private mutating func offsetMinutes() -> Int? {
    if scanner.skip("Z") { return 0 }
    let isBehind = scanner.skip("-")
    guard isBehind || scanner.skip("+"),
      let hours = number(2, within: 0...23), scanner.skip(":"),
      let minutes = number(2, within: 0...59)
    else { return nil }
    return (hours * 60 + minutes) * (isBehind ? -1 : 1)
  }

  /// Whether a minute, counted from 1970 in UTC, is the last of its month: only there can a leap second follow.
  private static func isLastOfMonth(minute: Int) -> Bool {
    let next = minute + 1
    return next.flooredRemainder(by: 1440) == 0 && CivilDate(daysSince1970: next.flooredQuotient(by: 1440)).day == 1
  }
}
