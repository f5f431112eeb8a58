import Scheduling

/// Decodes questions from the fields.
extension DetailFields {
  /// The content of a Schedule Describe.
  func describe() throws(FieldError) -> Question.Describe {
    Question.Describe(id: try id(), next: try number(.next, in: 0...Question.Describe.mostSlots) ?? 10)
  }

  /// The content of a Schedule List.
  func list(secret: SipHash.Key) throws(FieldError) -> Question.List {
    let state: Schedule.PublicState? = try choice(.state)
    let search = ScheduleSearch(
      prefix: try name(.prefix, upTo: ScheduleID.maximumLength).map { Array($0.utf8) } ?? [],
      group: try name(.group, upTo: Self.longestGroup).map { Array($0.utf8) },
      tag: try name(.tag, upTo: Self.longestTag).map { Array($0.utf8) }, lifecycle: .init(state))
    return Question.List(
      search: search, after: try position(in: search, secret: secret),
      limit: try number(.limit, in: 1...Question.List.mostSchedules) ?? 100)
  }

  private func position(in search: ScheduleSearch, secret: SipHash.Key) throws(FieldError) -> ScheduleID? {
    guard let text = try text(.next, upTo: Self.longestToken) else { return nil }
    guard let token = ListToken(Array(text.utf8), of: search, secret: secret) else {
      throw FieldError(
        .next,
        "next does not continue this listing: send that of the page before, with the same group, prefix, tag and state")
    }
    return token.last
  }

  private static let longestToken = 1024

  /// A whole number within bounds; nil when the field is absent.
  func number(_ name: Name, in range: ClosedRange<Int>) throws(FieldError) -> Int? {
    guard let number = try wholeNumber(name) else { return nil }
    guard let number = Int(exactly: number), range.contains(number) else {
      throw FieldError(name, "\(name.rawValue) is \(number): \(range.lowerBound) to \(range.upperBound) is accepted")
    }
    return number
  }
}

extension ScheduleSearch.Lifecycle {
  fileprivate init(_ state: Schedule.PublicState?) {
    self =
      switch state {
      case .active: .active
      case .paused: .paused
      case .ended: .ended
      case nil: .all
      }
  }
}
