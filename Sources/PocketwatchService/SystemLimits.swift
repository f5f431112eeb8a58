import Glibc

/// Checks the resource limits of the process at start. Low limits would otherwise show late, as threads or connections that cannot
/// be created.
package enum SystemLimits {
  static let leastOpenFiles: rlim_t = 32
  /// Mostly stacks and malloc arenas, which are reserved but rarely touched.
  static let leastAddressSpaceMiB: rlim_t = 1024

  /// Throws if a limit is below the service's requirement.
  package static func check() throws(ServiceFailure) {
    try check(openFiles: limit(RLIMIT_NOFILE), addressSpace: limit(RLIMIT_AS))
  }

  static func check(openFiles: rlim_t, addressSpace: rlim_t) throws(ServiceFailure) {
    if openFiles < leastOpenFiles {
      throw ServiceFailure(
        .system,
        "the limit of open files is \(openFiles); at least \(leastOpenFiles) are required: raise it (ulimit -n)")
    }
    if addressSpace >> 20 < leastAddressSpaceMiB {
      throw ServiceFailure(
        .system,
        "the limit of address space is \(addressSpace >> 20) MiB; at least \(leastAddressSpaceMiB) MiB are required: raise it "
          + "(ulimit -v), and limit memory by other means")
    }
  }

  private static func limit(_ resource: __rlimit_resource) -> rlim_t {
    var limits = rlimit()
    return getrlimit(__rlimit_resource_t(resource.rawValue), &limits) == 0 ? limits.rlim_cur : .max
  }
}
