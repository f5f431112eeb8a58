import Foundation

/// The kernel's figures of a running process.
struct ProcessFigures {
  var processID: Int32

  /// Processor time of all its threads, in seconds. A thread that has ended is no longer counted.
  func processorSeconds() throws -> Double {
    let tasks = "/proc/\(processID)/task"
    let nanoseconds = try FileManager.default.contentsOfDirectory(atPath: tasks).reduce(0) { sum, thread in
      sum + (firstNumber(of: try? String(contentsOfFile: "\(tasks)/\(thread)/schedstat", encoding: .utf8)) ?? 0)
    }
    return nanoseconds / 1e9
  }

  /// A line of its status, `VmRSS` for instance, in megabytes of a million bytes.
  func megabytes(_ line: String) throws -> Double {
    let status = try String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)
    guard let value = status.split(separator: "\n").first(where: { $0.hasPrefix("\(line):") }),
      let kibibytes = firstNumber(of: String(value.dropFirst(line.count + 1)))
    else { throw BenchError("the kernel does not report \(line)") }
    return kibibytes * 1024 / 1e6
  }

  private func firstNumber(of text: String?) -> Double? {
    text?.split(whereSeparator: \.isWhitespace).first.flatMap { Double($0) }
  }
}
