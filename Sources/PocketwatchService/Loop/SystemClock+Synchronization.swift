import CLinux

extension SystemClock {
  /// Whether somebody keeps the wall clock right, as far as the kernel knows; nil when it does not say.
  package static var isSynchronized: Bool? {
    var state = timex()
    guard adjtimex(&state) >= 0 else { return nil }
    return state.status & STA_UNSYNC == 0
  }
}
