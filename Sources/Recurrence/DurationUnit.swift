import Bytes

/// A unit of a duration.
struct DurationUnit {
  let nanoseconds: UInt128

  /// The unit with this name in UTF-8, in either case; nil for an unknown name.
  init?(named name: ArraySlice<UInt8>) {
    // The fast path for nearly all names: durations are parsed for every schedule that is loaded.
    if name.count == 1, let letter = name.first {
      guard letter < 0x80, let unit = Self.ofLetter[Int(letter)] else { return nil }
      self = unit
    } else {
      guard let unit = Self.named[String(decoding: name.map(\.lowercased), as: UTF8.self)] else { return nil }
      self = unit
    }
  }

  private init(nanoseconds: UInt128) { self.nanoseconds = nanoseconds }

  static let nanosecond = DurationUnit(nanoseconds: 1)
  static let microsecond = DurationUnit(nanoseconds: 1000)
  static let millisecond = DurationUnit(nanoseconds: 1_000_000)
  static let second = DurationUnit(nanoseconds: 1_000_000_000)
  static let minute = DurationUnit(nanoseconds: 60 * second.nanoseconds)
  static let hour = DurationUnit(nanoseconds: 60 * minute.nanoseconds)
  static let day = DurationUnit(nanoseconds: 24 * hour.nanoseconds)
  static let week = DurationUnit(nanoseconds: 7 * day.nanoseconds)
  /// A twelfth of a year: 30.4375 days.
  static let month = DurationUnit(nanoseconds: year.nanoseconds / 12)
  /// The mean year of the Julian calendar: 365.25 days.
  static let year = DurationUnit(nanoseconds: 1461 * day.nanoseconds / 4)

  /// The units by name in lower case.
  ///
  /// µ may be the micro sign (U+00B5) or the Greek letter (U+03BC).
  private static let named: [String: DurationUnit] = {
    let names: [(unit: DurationUnit, short: [String], long: [String])] = [
      (nanosecond, ["ns"], ["nanosecond"]),
      (microsecond, ["us", "\u{B5}s", "\u{3BC}s"], ["microsecond"]),
      (millisecond, ["ms"], ["millisecond"]),
      (second, ["s"], ["sec", "second"]),
      (minute, ["m"], ["min", "minute"]),
      (hour, ["h"], ["hr", "hour"]),
      (day, ["d"], ["day"]),
      (week, ["w"], ["wk", "week"]),
      (month, ["b"], ["mo", "month"]),
      (year, ["y"], ["yr", "year"]),
    ]
    var named: [String: DurationUnit] = [:]
    for (unit, short, long) in names {
      for name in short + long + long.map({ $0 + "s" }) { named[name] = unit }
    }
    return named
  }()

  /// The units with a name of one letter, by its ASCII code.
  private static let ofLetter: [DurationUnit?] = (0..<0x80).map { (letter: UInt8) in
    named[String(decoding: [letter.lowercased], as: UTF8.self)]
  }

  /// The letters of ISO 8601 before the `T`, in their order.
  static let dateDesignators: [(letter: Unicode.Scalar, unit: DurationUnit)] = [
    ("Y", year), ("M", month), ("W", week), ("D", day),
  ]

  /// The letters of ISO 8601 after the `T`, in their order.
  static let timeDesignators: [(letter: Unicode.Scalar, unit: DurationUnit)] = [
    ("H", hour), ("M", minute), ("S", second),
  ]
}

/// A non-negative decimal number: `significand` × 10 ^ `exponent`.
struct DecimalNumber {
  private var significand: UInt64 = 0
  var exponent = 0

  /// Appends a digit. After the eighteenth, digits change only the exponent.
  mutating func append(_ digit: Int, isFraction: Bool) {
    if significand < 100_000_000_000_000_000 {
      significand = significand * 10 + UInt64(digit)
      if isFraction { exponent -= 1 }
    } else if !isFraction {
      exponent += 1
    }
  }

  /// The number times `factor` (below 2^64), rounded down; `nil` if that is more than `limit`.
  func times(_ factor: UInt128, atMost limit: UInt128) -> UInt128? {
    var product = UInt128(significand) * factor
    var exponent = exponent
    while exponent < 0, product > 0 {
      product /= 10
      exponent += 1
    }
    while exponent > 0, product > 0, product <= limit {
      product *= 10
      exponent -= 1
    }
    return product <= limit ? product : nil
  }
}
