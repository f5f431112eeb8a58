import Glibc

/// Memory, CPU time, open files and start time of this process, with the names of the official Prometheus clients.
package enum ProcessMetrics {
  package static let descriptions = [
    MetricDescription("process_resident_memory_bytes", help: "Resident memory size in bytes."),
    MetricDescription("process_virtual_memory_bytes", help: "Virtual memory size in bytes."),
    MetricDescription("process_cpu_seconds_total", help: "Total user and system CPU time spent in seconds."),
    MetricDescription("process_open_fds", help: "Number of open file descriptors."),
    MetricDescription("process_start_time_seconds", help: "Start time of the process since unix epoch in seconds."),
  ]

  /// - Parameter startSeconds: The start of this process, in seconds since 1970. The kernel has it in ticks since boot, and a
  ///   confined process may not read the boot time.
  package static func register(in registry: PrometheusRegistry, startSeconds: Double) {
    let pageBytes = Double(sysconf(Int32(_SC_PAGESIZE)))
    registry.observeGauge("process_virtual_memory_bytes") { statm(field: 0).map { $0 * pageBytes } }
    registry.observeGauge("process_resident_memory_bytes") { statm(field: 1).map { $0 * pageBytes } }
    registry.observeCounter("process_cpu_seconds_total") { cpuSeconds() }
    registry.observeGauge("process_open_fds") { openFiles() }
    registry.observeGauge("process_start_time_seconds") { startSeconds }
  }

  /// A number of /proc/self/statm, in pages.
  private static func statm(field: Int) -> Double? {
    guard let file = fopen("/proc/self/statm", "re") else { return nil }
    defer { fclose(file) }
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = fread(&buffer, 1, buffer.count, file)
    let fields = String(decoding: buffer.prefix(count), as: UTF8.self).split(separator: " ")
    return field < fields.count ? Double(fields[field]) : nil
  }

  private static func cpuSeconds() -> Double? {
    var usage = rusage()
    guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return nil }
    return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
  }

  private static func openFiles() -> Double? {
    guard let folder = opendir("/proc/self/fd") else { return nil }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    return Double(count - 3)  // without `.`, `..` and the descriptor of this listing
  }
}
