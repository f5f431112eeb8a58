import Foundation
import Recurrence

/// The machine, the broker and the code of a measurement.
struct Machine: Codable {
  var date: String
  var kernel: String
  var processors: String
  var memoryGigabytes: Int
  var broker: String
  var commit: String
  /// The load of the minute before: if it is more than a little, others used the machine.
  var load: String

  /// - Parameters:
  ///   - broker, commit: known to the caller, which started the broker and made the build.
  static func current(broker: String, commit: String) -> Machine {
    let model = line(of: "/proc/cpuinfo", after: "model name").split { " \t:".contains($0) }.joined(separator: " ")
    let kilobytes = Int(line(of: "/proc/meminfo", after: "MemTotal:").split(separator: " ").first ?? "") ?? 0
    var name = utsname()
    uname(&name)
    return Machine(
      date: WallClock.now.rfc3339, kernel: "Linux \(text(&name.release)) \(text(&name.machine))",
      processors: "\(ProcessInfo.processInfo.processorCount) x \(model)", memoryGigabytes: (kilobytes + 524_288) >> 20,
      broker: broker, commit: commit, load: String(contents(of: "/proc/loadavg").prefix { $0 != " " }))
  }

  var text: String {
    """
    \(date), \(kernel), \(processors), \(memoryGigabytes) GiB, RabbitMQ \(broker), commit \(commit)
    Broker, service, publisher and consumer share these processors. Load average before: \(load)
    """
  }

  private static func contents(of file: String) -> String {
    (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
  }

  /// The rest of the first line with this beginning.
  private static func line(of file: String, after begin: String) -> String {
    let lines = contents(of: file).split(separator: "\n")
    return lines.first { $0.hasPrefix(begin) }.map { String($0.dropFirst(begin.count)) } ?? ""
  }

  private static func text<Characters>(_ characters: inout Characters) -> String {
    withUnsafeBytes(of: &characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
