/// Reads a whole cron expression: tells its forms apart, splits it into fields and has each of them read.
struct CronParser {
  /// Nothing sensible is longer, and refusing early keeps hostile input cheap.
  private static let longest = 256

  private let bytes: [UInt8]
  private let words: [ArraySlice<UInt8>]

  init(_ text: String) throws(ExpressionError) {
    bytes = Array(text.utf8.prefix(Self.longest + 1))
    guard bytes.count <= Self.longest else {
      throw Self.failure("a cron expression has at most \(Self.longest) bytes")
    }
    words = bytes.split(whereSeparator: \.isBlank)
  }

  /// What the expression says, field by field.
  func fields() throws(ExpressionError) -> CronFields {
    try refuseForeignForms()
    if let first = words.first, first.first == UInt8(ascii: "@") { return try nickname(first) }
    guard 5...7 ~= words.count else { throw Self.failure(countReason) }
    var fields = CronFields()
    for (word, field) in zip(words, writtenFields) {
      do {
        try fields.read(word, as: field)
      } catch {
        throw words.count == 6 && word.first == UInt8(ascii: "?") ? error.hinting(Self.awsHint) : error
      }
    }
    return fields
  }

  /// The fields that the words stand for.
  private var writtenFields: ArraySlice<CronField> { CronField.allCases.dropFirst(words.count == 5 ? 1 : 0) }

  /// Six fields with a `?` outside of the days are those of AWS, which end with the year.
  private static let awsHint = "six fields begin with the second here; with a year last, write seven: 0 30 8 ? * 1-5 *"

  /// Refuses, with a hint, what other schedulers write around the fields.
  private func refuseForeignForms() throws(ExpressionError) {
    if let lineBreak = bytes.firstIndex(where: { 0x0A...0x0D ~= $0 }) {
      throw Self.failure("a line break is not expected here; blanks and tabs separate fields", at: lineBreak)
    }
    for word in words {
      if word.starts(with: "TZ=".utf8) || word.starts(with: "CRON_TZ=".utf8) {
        throw Self.failure("a zone stands in the field `timezone`, not in the expression", at: word.startIndex)
      }
      if word.first == UInt8(ascii: "#"), word.count == 1 || !word[word.startIndex + 1].isDigit {
        throw Self.failure("a comment is not expected here", at: word.startIndex)
      }
    }
    try refuseAWSForms()
    if words.count > 1, let last = words.last, last.isZoneName {
      let field =
        words.count - 1 < writtenFields.count ? writtenFields[writtenFields.startIndex + words.count - 1] : nil
      throw ExpressionError(
        field: field?.name ?? "expression", position: last.startIndex + 1,
        reason: "a time zone is not part of the expression; send it in the field `timezone`")
    }
  }

  /// AWS writes its schedules in parentheses, with other fields and other numbers of the days of the week.
  private func refuseAWSForms() throws(ExpressionError) {
    guard let word = words.first, let parenthesis = word.firstIndex(of: UInt8(ascii: "(")) else { return }
    let hint: String
    switch String(decoding: word[..<parenthesis].map(\.lowercased), as: UTF8.self) {
    case "cron":
      hint =
        "cron(…) is the form of AWS: send the fields alone, with the second before and the year behind them, and days of"
        + " the week by name (Sunday is 0 here and 1 there)"
    case "rate": hint = "rate(…) is the form of AWS; use the field `every`"
    case "at": hint = "at(…) is the form of AWS; use the field `at`"
    default: return
    }
    throw Self.failure(hint, at: word.startIndex)
  }

  private var countReason: String {
    if words.count == 1, Self.nicknames["@" + String(decoding: words[0].map(\.lowercased), as: UTF8.self)] != nil {
      return "a nickname begins with @"
    }
    return "five, six or seven fields are expected, separated by blanks; there are \(words.count)"
  }

  private func nickname(_ word: ArraySlice<UInt8>) throws(ExpressionError) -> CronFields {
    let name = String(decoding: word.map(\.lowercased), as: UTF8.self)
    switch name {
    case "@every": throw Self.failure("@every is not cron; use the field `every`", at: word.startIndex)
    case "@reboot": throw Self.failure("@reboot names no time; an event at start-up does that", at: word.startIndex)
    default: break
    }
    guard let expression = Self.nicknames[name] else {
      let known = Self.nicknames.keys.sorted().joined(separator: " ")
      throw Self.failure("not a known nickname; known are \(known)", at: word.startIndex)
    }
    guard words.count == 1 else { throw Self.failure("a nickname stands alone", at: words[1].startIndex) }
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
  /// The same error with a hint behind its reason.
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
