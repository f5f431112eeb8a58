/// What the header `x-delay` of a message asks for.
package enum DelayHeader: Sendable, Hashable {
  case absent
  /// Not over `maximumMilliseconds`; zero and less ask for no delay.
  case milliseconds(Int64)
  /// Why it is not a delay, in words for its sender.
  case unreadable(String)

  package static let name: StaticString = "x-delay"
  /// From 1970 to the end of the year 9999: no delay that fits into it is longer.
  package static let maximumMilliseconds: Int64 = 253_402_300_799_999

  /// Whether there is a delay.
  package var isDelayed: Bool {
    if case .milliseconds(let delay) = self { delay > 0 } else { false }
  }
}

extension RawProperties {
  /// Integers of any type, floating-point numbers, truncated, and strings of digits with an optional sign.
  package var delay: DelayHeader {
    guard let header = header(DelayHeader.name) else { return .absent }
    guard let value = scalar(header) else {
      return .unreadable("x-delay is neither a number nor a string of digits")
    }
    let milliseconds: Int64?
    switch value {
    case .float(let value): milliseconds = Int64(truncating: Double(value))
    case .double(let value): milliseconds = Int64(truncating: value)
    case .longString(let digits):
      guard let text = String(validating: digits, as: UTF8.self), text.isInteger else {
        return .unreadable("x-delay is a string that is not a whole number of milliseconds")
      }
      milliseconds = Int64(text) ?? (text.hasPrefix("-") ? .min : nil)
    default: milliseconds = value.integer
    }
    guard let milliseconds, milliseconds <= DelayHeader.maximumMilliseconds else {
      return .unreadable("x-delay ends after the year 9999")
    }
    return .milliseconds(milliseconds)
  }

  /// The type and value of a delay with the opposite sign, in the same type if that has it, else as a signed integer of 64
  /// bits. Client libraries recognise by it that the delay is over. Nil if it is not a delay.
  func negated(_ header: Header) -> [UInt8]? {
    guard delay.isDelayed, let value = scalar(header) else { return nil }
    switch value {
    case .float(let value): return wire("f", value.bitPattern ^ 1 << 31)
    case .double(let value): return wire("d", value.bitPattern ^ 1 << 63)
    case .longString(let digits):
      let negated = [UInt8(ascii: "-")] + digits.drop { $0 == UInt8(ascii: "+") }
      return wire("S", UInt32(negated.count)) + negated
    case .int8(let value): return wire("b", UInt8(bitPattern: -value))
    case .int16(let value): return wire("s", UInt16(bitPattern: -value))
    case .int32(let value): return wire("I", UInt32(bitPattern: -value))
    default: return value.integer.map { wire("l", UInt64(bitPattern: -$0)) }
    }
  }

  private func wire(_ type: UnicodeScalar, _ number: some FixedWidthInteger) -> [UInt8] {
    [UInt8(ascii: type)] + withUnsafeBytes(of: number.bigEndian) { Array($0) }
  }
}

extension Int64 {
  /// Nil if it is not a number, or over the range; what is under it counts as its least.
  fileprivate init?(truncating value: Double) {
    if value < Double(Int64.min) {
      self = .min
    } else if let whole = Int64(exactly: value.rounded(.towardZero)) {
      self = whole
    } else {
      return nil
    }
  }
}

extension String {
  /// Whether it is digits after an optional sign.
  fileprivate var isInteger: Bool {
    let digits = utf8.first == UInt8(ascii: "-") || utf8.first == UInt8(ascii: "+") ? utf8.dropFirst() : utf8[...]
    return !digits.isEmpty && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }
}
