extension Measurement {
  mutating func measurePages() throws {
    let session = try PagesSession(rig, count: plan.waiting, seconds: plan.steadySeconds, burst: plan.burst)
    let times = try session.pageTimes()
    let questions = try session.questionTimes()
    let beside = "beside \(plan.waiting) schedules"
    results.findings += [
      Finding(
        work: "the slowest list page, p99, \(beside)", unit: .milliseconds, comparison: .plain,
        ours: [times.map { Self.percentile(99, of: $0.milliseconds) }.max() ?? 0], reach: 50, aim: 20),
      Finding(
        work: "the engine held by a question, p99, \(beside)", unit: .milliseconds, comparison: .plain,
        ours: [Self.percentile(99, of: questions)], reach: 5, aim: 2),
    ]
    for (path, milliseconds) in times { results.notes.append(Self.note(path, milliseconds)) }
    results.notes.append(Self.note("questions", questions))
    try measureCostOfPages(session)
  }

  /// A burst and an even load, alternating with readers and without, because others may use the machine, too.
  private mutating func measureCostOfPages(_ session: PagesSession) throws {
    let outcomes = try (0..<plan.runs).map { _ in
      (without: try session.run(withPages: false), with: try session.run(withPages: true))
    }
    results.findings += [
      Finding(
        work: "ticks/s in a burst, with a page and a scrape a second to without", unit: .perSecond,
        comparison: .ratio, ours: outcomes.map(\.with.burstPerSecond), bare: outcomes.map(\.without.burstPerSecond),
        reach: 0.97, aim: 1, isMoreBetter: true),
      Finding(
        work: "lateness p99 of \(EvenLoad.perSecond) ticks/s, with them and without", unit: .milliseconds,
        comparison: .difference, ours: outcomes.map(\.with.lateness), bare: outcomes.map(\.without.lateness), reach: 2,
        aim: 1),
    ]
    results.notes.append(Self.note("pages while a burst drains, too", outcomes.flatMap(\.with.pages)))
  }

  private static func note(_ name: String, _ milliseconds: [Double]) -> String {
    func text(_ value: Double?) -> String { Unit.milliseconds.text(value ?? 0) }
    return "\(name): p50 \(text(percentile(50, of: milliseconds))), p99 \(text(percentile(99, of: milliseconds))), "
      + "most \(text(milliseconds.max()))"
  }

  private static func percentile(_ percent: Double, of values: [Double]) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return 0 }
    return sorted[min(sorted.count - 1, Int(percent / 100 * Double(sorted.count)))]
  }
}
