import ArgumentParser
import Glibc

/// Standard output of a command, written at once, also into a pipe.
enum StandardOutput {
  /// Call before anything is opened or printed.
  static func prepare() {
    signal(SIGPIPE, SIG_IGN)  // a closed pipe is an error code of write(2), which is handled
    keepStandardDescriptors()
    // What ArgumentParser prints (help, version, completion scripts) goes through the C library's buffer, without a check.
    atexit {
      guard fflush(nil) != 0 else { return }
      let code = errno
      if code != EPIPE { complain(StandardOutput.reason(code)) }
      _exit(StandardOutput.exitCode(code).rawValue)
    }
  }

  /// A descriptor that is closed would be given to the next file or socket, and what is printed would go there.
  private static func keepStandardDescriptors() {
    for (descriptor, flags) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_WRONLY)]
    where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest free number is this one. Reading and printing fail on it, as on a closed one.
      _ = open("/dev/null", flags)
    }
  }

  /// Writes all of it. Throws the exit code of the command when that fails, quietly when the reader has gone.
  static func write(_ text: String) throws(ExitCode) {
    let code = writeAll(text, to: STDOUT_FILENO)
    guard code != 0 else { return }
    if code != EPIPE { complain(reason(code)) }
    throw exitCode(code)
  }

  private static func reason(_ code: Int32) -> String {
    "standard output cannot be written: \(String(cString: strerror(code)))"
  }

  private static func exitCode(_ code: Int32) -> ExitCode { code == EPIPE ? .readerGone : .outputFailed }
}

/// Prints a line at once.
func printLine(_ line: String) throws(ExitCode) { try StandardOutput.write(line + "\n") }

/// Says on standard error what is wrong. Without a reader there nobody hears it.
func complain(_ message: String) { _ = writeAll("pocketwatch: \(message)\n", to: STDERR_FILENO) }

/// - Returns: 0, or the error number.
private func writeAll(_ text: String, to descriptor: Int32) -> Int32 {
  var text = text
  return text.withUTF8 { bytes in
    var rest = UnsafeRawBufferPointer(bytes)
    while !rest.isEmpty {
      let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if written < 0 {
        if errno == EINTR { continue }
        guard errno == EAGAIN else { return errno }
        // Whoever shares the descriptor has made it non-blocking.
        var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&waiting, 1, -1)
        continue
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
    return 0
  }
}

extension ExitCode {
  /// The scheduler answered: refused.
  static let rejected = ExitCode(1)
  /// No broker, or no answer in time (EX_UNAVAILABLE).
  static let unavailable = ExitCode(69)
  /// Standard output cannot be written (EX_IOERR).
  static let outputFailed = ExitCode(74)
  /// The reader of standard output has closed it: what a shell reports of a program that SIGPIPE ended.
  static let readerGone = ExitCode(128 + SIGPIPE)
}
