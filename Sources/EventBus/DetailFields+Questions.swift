import Scheduling

/// Decodes questions from the fields.
extension DetailFields {
  /// The content of a Schedule Describe.
  func describe() throws(FieldError) -> Question.Describe {
    Question.Describe(id: try id(), next: try number(.next, in: 0...Question.Describe.mostSlots) ?? 10)
  }

  /// A whole number within bounds; nil when the field is absent.
  private func number(_ name: Name, in range: ClosedRange<Int>) throws(FieldError) -> Int? {
    guard let number = try wholeNumber(name) else { return nil }
    guard let number = Int(exactly: number), range.contains(number) else {
      throw FieldError(name, "\(name.rawValue) is \(number): \(range.lowerBound) to \(range.upperBound) is accepted")
    }
    return number
  }
}
