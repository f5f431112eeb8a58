import ArgumentParser
import Bytes
import Glibc

/// Unbuffered standard output with checked writes.
enum StandardOutput {
  /// Must run before anything is opened or printed.
  static func prepare() {
    signal(SIGPIPE, SIG_IGN)  // write(2) reports a closed pipe as EPIPE
    keepStandardDescriptors()
    // ArgumentParser prints help, version and completion scripts through stdio, without checking.
    atexit {
      guard fflush(nil) != 0 else { return }
      let code = errno
      if code != EPIPE { complain(StandardOutput.reason(code)) }
      _exit(StandardOutput.exitCode(code).rawValue)
    }
  }

  /// Otherwise the next opened file or socket would reuse the number of a closed descriptor, and receive the output.
  private static func keepStandardDescriptors() {
    for (descriptor, flags) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_WRONLY)]
    where fcntl(descriptor, F_GETFD) < 0 {
      // open() returns the lowest free number, which is this one. The flags make reads and writes fail.
      _ = open("/dev/null", flags)
    }
  }

  /// Writes all of `text`. On failure prints a message, unless the reader has closed the pipe, and throws an exit code.
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

func printLine(_ line: String) throws(ExitCode) { try StandardOutput.write(line + "\n") }

/// Prints a message to standard error; a failure to do so is ignored.
func complain(_ message: String) { _ = writeAll("pocketwatch: \(message)\n", to: STDERR_FILENO) }

/// Text of others, escaped if it could control the terminal.
func shownText(_ text: String) -> String {
  text.unicodeScalars.contains(where: \.needsEscape) ? jsonQuoted(text) : text
}

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
        // Another process has made the shared descriptor non-blocking.
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
  /// The command was rejected, or the input is invalid.
  static let rejected = ExitCode(1)
  /// The broker or the service is unavailable, or did not answer in time (EX_UNAVAILABLE).
  static let unavailable = ExitCode(69)
  /// Standard output cannot be written (EX_IOERR).
  static let outputFailed = ExitCode(74)
  /// The reader closed the pipe: what a shell reports for SIGPIPE.
  static let readerGone = ExitCode(128 + SIGPIPE)
}
