import Bytes

/// Parses a whole cron expression: nicknames, or fields separated by blanks.
struct CronParser {
  /// In bytes. Limits the cost of hostile input.
  private static let longest = 256

  private let bytes: [UInt8]
  private let parts: [ArraySlice<UInt8>]

  init(_ text: String) throws(ExpressionError) {
    bytes = Array(text.utf8.prefix(Self.longest + 1))
    guard bytes.count <= Self.longest else {
      throw Self.failure("a cron expression has at most \(Self.longest) bytes")
    }
    parts = bytes.split(whereSeparator: \.isBlank)
  }

  /// The parsed fields.
  func fields() throws(ExpressionError) -> CronFields {
    try refuseForeignForms()
    if let first = parts.first, first.first == UInt8(ascii: "@") { return try nickname(first) }
    guard 5...7 ~= parts.count else { throw Self.failure(countReason) }
    var fields = CronFields()
    for (part, field) in zip(parts, writtenFields) {
      do {
        try fields.read(part, as: field)
      } catch {
        throw parts.count == 6 && part.first == UInt8(ascii: "?") ? error.hinting(Self.awsHint) : error
      }
    }
    return fields
  }

  /// The fields of the parts, in order.
  private var writtenFields: ArraySlice<CronField> { CronField.allCases.dropFirst(parts.count == 5 ? 1 : 0) }

  /// For six fields with a `?` outside the day fields: AWS's form, which ends with the year.
  private static let awsHint = "six fields begin with seconds here; to end with a year, write seven: 0 30 8 ? * 1-5 *"

  /// Throws, with a hint, for what other schedulers accept around the fields.
  private func refuseForeignForms() throws(ExpressionError) {
    if let lineBreak = bytes.firstIndex(where: { 0x0A...0x0D ~= $0 }) {
      throw Self.failure("a line break is not allowed; separate fields by spaces or tabs", at: lineBreak)
    }
    for part in parts {
      if part.starts(with: "TZ=".utf8) || part.starts(with: "CRON_TZ=".utf8) {
        throw Self.failure("send the time zone in the field `timezone`, not in the expression", at: part.startIndex)
      }
      if part.first == UInt8(ascii: "#"), part.count == 1 || !part[part.startIndex + 1].isDigit {
        throw Self.failure("a comment is not allowed", at: part.startIndex)
      }
    }
    try refuseAWSForms()
    if parts.count > 1, let last = parts.last, last.isZoneName {
      let field =
        parts.count - 1 < writtenFields.count ? writtenFields[writtenFields.startIndex + parts.count - 1] : nil
      throw ExpressionError(
        field: field?.name ?? "expression", position: last.startIndex + 1,
        reason: "send the time zone in the field `timezone`, not in the expression")
    }
  }

  /// AWS writes schedules in parentheses, with other fields and other weekday numbers.
  private func refuseAWSForms() throws(ExpressionError) {
    guard let part = parts.first, let parenthesis = part.firstIndex(of: UInt8(ascii: "(")) else { return }
    let hint: String
    switch String(decoding: part[..<parenthesis].map(\.lowercased), as: UTF8.self) {
    case "cron":
      hint =
        "cron(…) is AWS's form: send the fields alone, seconds first and the year last, with weekdays by name (Sunday is 0"
        + " here and 1 there)"
    case "rate": hint = "rate(…) is AWS's form; use the field `every`"
    case "at": hint = "at(…) is AWS's form; use the field `at`"
    default: return
    }
    throw Self.failure(hint, at: part.startIndex)
  }

  private var countReason: String {
    if parts.count == 1, Self.nicknames["@" + String(decoding: parts[0].map(\.lowercased), as: UTF8.self)] != nil {
      return "a nickname begins with @"
    }
    return "five, six or seven fields are expected, separated by spaces; there are \(parts.count)"
  }

  private func nickname(_ text: ArraySlice<UInt8>) throws(ExpressionError) -> CronFields {
    let name = String(decoding: text.map(\.lowercased), as: UTF8.self)
    switch name {
    case "@every": throw Self.failure("@every is not supported; use the field `every`", at: text.startIndex)
    case "@reboot": throw Self.failure("@reboot is not supported: it has no time", at: text.startIndex)
    default: break
    }
    guard let expression = Self.nicknames[name] else {
      let known = Self.nicknames.keys.sorted().joined(separator: " ")
      throw Self.failure("unknown nickname; known are \(known)", at: text.startIndex)
    }
    guard parts.count == 1 else { throw Self.failure("nothing may follow a nickname", at: parts[1].startIndex) }
    return try CronParser(expression).fields()
  }

  private static let nicknames = [
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *", "@minutely": "* * * * *",
    "@secondly": "* * * * * *", "@weekdays": "0 0 * * 1-5", "@weekends": "0 0 * * 0,6",
  ]

  private static func failure(_ reason: String, at index: Int? = nil) -> ExpressionError {
    ExpressionError(field: "expression", position: index.map { $0 + 1 }, reason: reason)
  }
}

extension ExpressionError {
  /// The same error with a hint added to its reason.
  fileprivate func hinting(_ hint: String) -> ExpressionError {
    ExpressionError(field: field, position: position, reason: "\(reason); \(hint)")
  }
}

extension ArraySlice<UInt8> {
  /// Whether this looks like the name of a time zone: `Europe/Rome`, `UTC`.
  fileprivate var isZoneName: Bool {
    guard first?.isLetter == true else { return false }
    let name = String(decoding: map(\.lowercased), as: UTF8.self)
    if [
      "utc", "gmt", "z", "local", "est", "edt", "cst", "cdt", "mst", "mdt", "pst", "pdt", "cet", "cest", "bst", "ist",
    ]
    .contains(name) {
      return true
    }
    guard let slash = firstIndex(of: UInt8(ascii: "/")), slash > startIndex + 2, slash + 1 < endIndex else {
      return false
    }
    return self[slash + 1].isLetter && !name.contains(",")
  }
}
