import CLinux

extension SystemClock {
  /// Whether somebody keeps the wall clock right, as far as the kernel knows; nil when it does not say.
  package static var isSynchronized: Bool? {
    var state = [UInt8](repeating: 0, count: 512)
    let answer = adjtimex(&state)
    return answer < 0 ? nil : answer != 5
  }
}
