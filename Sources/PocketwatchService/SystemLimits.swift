import Glibc

/// What the operating system must allow this process. Too little of it would show late, as a thread that never starts or a
/// connection that is never made.
package enum SystemLimits {
  static let leastOpenFiles: rlim_t = 32
  /// Mostly stacks and malloc's arenas, which are reserved and hardly used.
  static let leastAddressSpaceMiB: rlim_t = 1024

  /// Throws when less is allowed than the service needs.
  package static func check() throws(ServiceFailure) {
    try check(openFiles: limit(RLIMIT_NOFILE), addressSpace: limit(RLIMIT_AS))
  }

  static func check(openFiles: rlim_t, addressSpace: rlim_t) throws(ServiceFailure) {
    if openFiles < leastOpenFiles {
      throw ServiceFailure(
        .system, "\(openFiles) open files are allowed, at least \(leastOpenFiles) are needed: raise it (ulimit -n)")
    }
    if addressSpace >> 20 < leastAddressSpaceMiB {
      throw ServiceFailure(
        .system,
        "\(addressSpace >> 20) MiB of address space are allowed, at least \(leastAddressSpaceMiB) are needed: raise it "
          + "(ulimit -v), and limit memory otherwise")
    }
  }

  private static func limit(_ resource: __rlimit_resource) -> rlim_t {
    var limits = rlimit()
    return getrlimit(__rlimit_resource_t(resource.rawValue), &limits) == 0 ? limits.rlim_cur : .max
  }
}
