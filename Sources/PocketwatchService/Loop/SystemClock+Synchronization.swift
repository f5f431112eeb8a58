import CLinux

extension SystemClock {
  /// What the kernel knows of how right its wall clock is.
  package enum Synchronization: Hashable, Sendable {
    /// Somebody keeps it right; it is off by so many milliseconds at most.
    case within(milliseconds: Int)
    case none
    /// This process may not ask, as under systemd's ProtectClock.
    case unknown
  }

  /// By adjtimex(2), which is asked and changes nothing.
  package static var synchronization: Synchronization {
    // `struct timex`: all zero but what the kernel fills in. Its own declaration would bring types that Swift knows from
    // another module.
    var state = [UInt8](repeating: 0, count: 512)
    let answer = adjtimex(&state)
    guard answer >= 0 else { return .unknown }
    guard answer != 5 else { return .none }  // TIME_ERROR
    let microseconds = state.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 24, as: Int.self) }  // maxerror
    return .within(milliseconds: max(1, microseconds / 1000))
  }
}
