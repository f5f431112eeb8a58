import Foundation
import Glibc
import Logging
import Scheduling
import Synchronization

/// Writes log lines to a file descriptor from its own thread, through a bounded queue.
///
/// When the reader stops (Ctrl-S, a stuck log driver), the pipe fills and the next write would block its caller: the engine, a
/// connection, a request. `write(_:)` never blocks. Lines that do not fit into the queue are dropped and counted, and one line
/// reports the count once the reader continues.
package final class LogWriter: Sendable {
  /// The log of a service.
  package static let standardError = LogWriter(descriptor: STDERR_FILENO)
  /// About five thousand lines.
  package static let defaultCapacity = 1 << 20

  private struct Queue {
    var bytes: [UInt8] = []
    /// Taken by the thread and not written yet.
    var bytesBeingWritten = 0
    /// Lines dropped since the last report.
    var lost = 0
    /// The format of the last line, also used to report lost ones.
    var isText = false
    var flushes: [DispatchSemaphore] = []

    var isIdle: Bool { bytes.isEmpty && bytesBeingWritten == 0 && lost == 0 }
  }

  private let descriptor: Int32
  private let capacity: Int
  private let queue = Mutex(Queue())
  private let work = DispatchSemaphore(value: 0)

  /// - Parameter capacity: The most queued bytes.
  package init(descriptor: Int32, capacity: Int = defaultCapacity) {
    self.descriptor = descriptor
    self.capacity = capacity
    let thread = Thread { [self] in run() }
    thread.name = "log"
    thread.start()
  }

  /// Queues a line, or drops it when the queue is full. From any thread; never blocks.
  package func write(_ line: LogLine, isText: Bool) {
    let bytes = line.bytes(isText: isText)
    let isFirst = queue.withLock { queue in
      queue.isText = isText
      guard queue.bytes.count + queue.bytesBeingWritten + bytes.count <= capacity else {
        queue.lost += 1
        return false
      }
      queue.bytes += bytes
      return queue.bytes.count == bytes.count
    }
    if isFirst { work.signal() }
  }

  /// Waits until all lines are written, at most for the limit. Call it before the process exits. Returns whether they were written.
  @discardableResult
  package func flush(within limit: Duration) -> Bool {
    let done = DispatchSemaphore(value: 0)
    let isIdle = queue.withLock { queue in
      if !queue.isIdle { queue.flushes.append(done) }
      return queue.isIdle
    }
    return isIdle || done.wait(timeout: .now() + .milliseconds(Int(limit / .milliseconds(1)))) == .success
  }

  // MARK: On the thread

  private func run() {
    while true {
      work.wait()
      while let bytes = take() { write(bytes) }
    }
  }

  /// All queued lines, followed by the report of lost ones; nil if there are none.
  private func take() -> [UInt8]? {
    queue.withLock { queue in
      queue.bytesBeingWritten = 0
      if queue.isIdle {
        queue.flushes.forEach { $0.signal() }
        queue.flushes = []
        return nil
      }
      var bytes: [UInt8] = []
      swap(&bytes, &queue.bytes)
      queue.bytesBeingWritten = bytes.count
      if queue.lost > 0 { bytes += Self.report(lost: queue.lost).bytes(isText: queue.isText) }
      queue.lost = 0
      return bytes
    }
  }

  private static func report(lost count: Int) -> LogLine {
    LogLine(
      time: SystemClock.now().wall, level: .warning,
      message: "log entries were dropped: standard error was not read", fields: [("dropped", "\(count)")])
  }

  /// In chunks of whole lines up to PIPE_BUF, which pipes write atomically: other processes may write to it as well.
  private func write(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let piece = rest.prefix(Int(PIPE_BUF))
        let end = piece.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? piece.endIndex
        let written = Glibc.write(
          descriptor, UnsafeRawBufferPointer(rebasing: rest[..<end]).baseAddress, end - rest.startIndex)
        if written > 0 {
          rest = rest.dropFirst(written)
        } else if written < 0, errno == EAGAIN {
          waitUntilWritable()
        } else if written == 0 || errno != EINTR {
          return  // the reader has closed it
        }
      }
    }
  }

  /// Another process that shares the descriptor may have made it non-blocking.
  private func waitUntilWritable() {
    var file = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    poll(&file, 1, -1)
  }
}

extension LogLine {
  fileprivate func bytes(isText: Bool) -> [UInt8] {
    Array((isText ? text : json).utf8) + [UInt8(ascii: "\n")]
  }
}
