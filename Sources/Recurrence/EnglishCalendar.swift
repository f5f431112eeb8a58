/// English names of months and weekdays.
enum EnglishCalendar {
  /// From January.
  static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
  ]

  /// From Sunday.
  static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
}

extension [String] {
  /// The elements as a phrase: `a, b and c`.
  func joined(separator: String, last: String) -> String {
    guard count > 1, let final = self.last else { return joined(separator: separator) }
    return dropLast().joined(separator: separator) + last + final
  }
}
