/// The Gregorian calendar computed naively, day by day from 1 January 1970, a Thursday.
struct ReferenceDay: Equatable, Sendable {
  var year = 1970
  var month = 1
  var day = 1
  /// 0 is Sunday.
  var weekday = 4

  var monthLength: Int {
    let isLeap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
    return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
  }

  /// The weekday of another day of the same month.
  func weekday(ofDay other: Int) -> Int { (weekday + other - day + 70) % 7 }

  /// The Mondays to Fridays of the month.
  var workdaysOfMonth: [Int] { (1...monthLength).filter { 1...5 ~= weekday(ofDay: $0) } }

  var following: ReferenceDay {
    var next = self
    next.weekday = (weekday + 1) % 7
    next.day += 1
    if next.day > monthLength { (next.month, next.day) = (month + 1, 1) }
    if next.month > 12 { (next.year, next.month) = (year + 1, 1) }
    return next
  }

  /// The days from 1970-01-01 through 2399-12-31.
  static let all: [ReferenceDay] = {
    var days = [ReferenceDay()]
    while let last = days.last, last.year < 2400 { days.append(last.following) }
    return days.dropLast()
  }()

  /// The months of these days, as the numbers of their days.
  static let months: [Range<Int>] = all.indices.filter { all[$0].day == 1 }.map { $0..<$0 + all[$0].monthLength }
}
