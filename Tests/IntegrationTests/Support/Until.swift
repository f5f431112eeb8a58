/// Polls until a condition holds.
func until(_ what: String, within seconds: Int = 60, _ isSo: () throws -> Bool) async throws {
  let end = ContinuousClock.now + .seconds(seconds)
  while try !isSo() {
    guard ContinuousClock.now < end else { throw Unexpected("\(what) did not come within \(seconds) s") }
    try await Task.sleep(for: .milliseconds(10))
  }
}
