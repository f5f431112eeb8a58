import Scheduling

extension Schedule.Key {
  /// Enough for 28 years of 5000 Starts a second.
  static let generationBits: Int64 = 42

  /// Where the schedule's progress stands: beside that of others of its cohort, in order of generation.
  var place: Int64 { cohort << Self.generationBits | generation }

  init(generation: Int64, place: Int64) {
    self.init(generation: generation, cohort: place >> Self.generationBits)
  }
}
