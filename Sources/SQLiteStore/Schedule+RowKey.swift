import Scheduling

extension Schedule.Key {
  /// Enough for 28 years of 5000 Starts a second.
  static let generationBits: Int64 = 42

  /// The primary key of the schedule's progress row (column `place`). Rows of one cohort are adjacent, in order of generation.
  var rowKey: Int64 {
    assert(0..<(1 << Self.generationBits) ~= generation, "the generation does not fit into its bits")
    assert(0..<(1 << (63 - Self.generationBits)) ~= cohort, "the cohort does not fit into its bits")
    return cohort << Self.generationBits | generation
  }

  init(generation: Int64, rowKey: Int64) {
    self.init(generation: generation, cohort: rowKey >> Self.generationBits)
  }
}
