import Bytes
import Recurrence
import Scheduling

/// Decodes the value of a field, whatever the field is for. Nil when the field is absent.
extension DetailFields {
  private static let longestDuration = 128
  /// The largest integer that every JSON reader represents exactly, 2^53 - 1.
  private static let largestLimit: Int64 = 9_007_199_254_740_991

  /// A boolean; nil when the field is absent.
  func flag(_ name: Name) throws(FieldError) -> Bool? {
    guard let value = self[name] else { return nil }
    guard value.kind == .boolean else {
      throw FieldError(name, "\(name.rawValue) must be true or false, not \(value.kind.rawValue)")
    }
    return value.bytes.first == UInt8(ascii: "t")
  }

  /// Strings of at most `limit` bytes each; nil when the field is absent.
  func texts(_ name: Name, upTo limit: Int) throws(FieldError) -> [String]? {
    guard let value = self[name] else { return nil }
    guard let elements = value.elements else {
      throw FieldError(name, "\(name.rawValue) must be an array of strings, not \(value.kind.rawValue)")
    }
    var texts: [String] = []
    for element in elements {
      guard let text = element.text else {
        throw FieldError(name, "\(name.rawValue) must hold strings only, not \(element.kind.rawValue)")
      }
      guard text.count <= limit else {
        throw FieldError(name, "\(name.rawValue) holds a string of \(text.count) bytes: at most \(limit) are accepted")
      }
      texts.append(String(decoding: text, as: UTF8.self))
    }
    return texts
  }

  /// A text that is not empty.
  func name(_ name: Name, upTo limit: Int) throws(FieldError) -> String? {
    let text = try text(name, upTo: limit)
    if text?.isEmpty == true { throw FieldError(name, "\(name.rawValue) is empty") }
    return text
  }

  func duration(_ name: Name) throws(FieldError) -> DurationExpression? {
    guard let text = try text(name, upTo: Self.longestDuration) else { return nil }
    do {
      return try DurationExpression(text)
    } catch {
      throw FieldError(name, error.description)
    }
  }

  /// One of the values of an enum; nil when the field is absent.
  func choice<Choice>(_ name: Name) throws(FieldError) -> Choice?
  where Choice: RawRepresentable<String> & CaseIterable {
    guard let text = try text(name, upTo: Self.longestDuration) else { return nil }
    guard let choice = Choice(rawValue: text) else {
      let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw FieldError(name, "\(name.rawValue) is \(Array(text.utf8)[...].quoted): use one of \(choices)")
    }
    return choice
  }

  func wholeNumber(_ name: Name) throws(FieldError) -> Int64? {
    guard let value = self[name] else { return nil }
    guard value.kind == .number else {
      throw FieldError(name, "\(name.rawValue) must be a whole number in digits, not \(value.kind.rawValue)")
    }
    guard value.bytes.allSatisfy(\.isDigit) else {
      throw FieldError(
        name, "\(name.rawValue) is \(value.bytes.clipped): a whole number in digits is expected, 0 or more")
    }
    guard let number = Int64(String(decoding: value.bytes, as: UTF8.self)), number <= Self.largestLimit else {
      throw FieldError(name, "\(name.rawValue) is \(value.bytes.clipped): at most \(Self.largestLimit) is accepted")
    }
    return number
  }

  func instant(_ name: Name, rounding: Instant.Rounding) throws(FieldError) -> Instant? {
    guard let value = self[name] else { return nil }
    guard let text = value.text else {
      throw FieldError(name, "\(name.rawValue) must be a string, not \(value.kind.rawValue)")
    }
    guard let instant = Instant(rfc3339: text, rounding: rounding) else {
      throw FieldError(name, "\(name.rawValue) is \(text.quoted): \(rfc3339Hint)")
    }
    return instant
  }

  /// A string of at most `limit` bytes; nil when the field is absent.
  func text(_ name: Name, upTo limit: Int) throws(FieldError) -> String? {
    guard let value = self[name] else { return nil }
    guard let text = value.text else {
      throw FieldError(name, "\(name.rawValue) must be a string, not \(value.kind.rawValue)")
    }
    guard text.count <= limit else {
      throw FieldError(name, "\(name.rawValue) has \(text.count) bytes: at most \(limit) are accepted")
    }
    return String(decoding: text, as: UTF8.self)
  }
}
