/// P27: a paused schedule sends nothing.
extension BusHistoryChecker {
  /// An outcome tells whether its schedule is paused; the end of a schedule ends its pause.
  mutating func notePause(_ event: BusHistory.Received) {
    guard let id = event.id else { return }
    if event.name == "Schedule Stopped" || event.isPaused == false { pauses[id] = nil }
    if event.isPaused == true, event.name == "Schedule Paused" {
      pauses[id] = (event.sent, event.pausedUntil ?? .max)
    }
  }

  /// A first copy of a tick. One that was sent before the Paused may arrive after it, from a lost connection.
  mutating func checkPause(of id: String, _ tick: BusHistory.Received) {
    guard let pause = pauses[id] else { return }
    expect(tick.sent <= pause.from || tick.sent >= pause.until, "P27", "while paused: \(tick.body)")
  }
}
