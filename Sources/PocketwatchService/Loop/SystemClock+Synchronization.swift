import CLinux

extension SystemClock {
  /// The synchronisation of the wall clock, according to the kernel.
  package enum Synchronization: Hashable, Sendable {
    /// Synchronised, with at most this error.
    case within(milliseconds: Int)
    case none
    /// The process may not query it, as under systemd's ProtectClock.
    case unknown
  }

  /// Queried by adjtimex(2), without changing anything.
  package static var synchronization: Synchronization {
    // A zeroed `struct timex`, which the kernel fills in. Importing its declaration would duplicate types of another module.
    var state = [UInt8](repeating: 0, count: 512)
    let status = adjtimex(&state)
    guard status >= 0 else { return .unknown }
    guard status != 5 else { return .none }  // TIME_ERROR
    let microseconds = state.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 24, as: Int.self) }  // maxerror
    return .within(milliseconds: max(1, microseconds / 1000))
  }
}
