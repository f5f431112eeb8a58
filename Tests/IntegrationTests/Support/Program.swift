import Foundation
import Glibc
import Synchronization

/// A running program: its lines of output, and its end.
///
/// Not Foundation's Process, in which a child inherits pipes of another that starts at the same moment, so that the other's
/// end goes unnoticed.
final class Program: Sendable {
  /// Lines of standard output.
  let output = Inflow<String>()
  /// Lines of standard error.
  let complaints = Inflow<String>()
  let processID: pid_t
  /// The exit code, or the negative number of the signal that ended it. Comes after the last line.
  private let end = Inflow<Int32>()

  /// What a program inherits of the tests' environment. `ops/test --sanitize thread` sets the latter two.
  private static let inherited = ["PATH", "LD_PRELOAD", "TSAN_OPTIONS"]

  /// Starts it with this environment, and of the tests' own only what is `inherited`.
  init(_ path: String, _ arguments: [String], environment: [String: String] = [:]) throws {
    var variables = environment
    for name in Self.inherited where variables[name] == nil {
      variables[name] = ProcessInfo.processInfo.environment[name]
    }
    let words = variables.map { "\($0.key)=\($0.value)" }
    let (processID, out, errors) = try Self.starting.withLock { _ in
      let (out, errors) = (try Self.makePipe(), try Self.makePipe())
      defer {
        close(out.write)
        close(errors.write)
      }
      return (try Self.spawn([path] + arguments, words, out.write, errors.write), out.read, errors.read)
    }
    self.processID = processID
    let outputEnd = DispatchGroup()
    outputEnd.enter()
    Thread.detachNewThread { [output] in
      Self.read(out, into: output)
      outputEnd.leave()
    }
    Thread.detachNewThread { [complaints, end] in
      Self.read(errors, into: complaints)
      outputEnd.wait()
      var status: Int32 = 0
      waitpid(processID, &status, 0)
      let signal = status & 0x7f
      end.append(signal == 0 ? status >> 8 & 0xff : -signal)
    }
  }

  var hasEnded: Bool { !end.all.isEmpty }

  func send(signal: Int32) { kill(processID, signal) }

  /// Waits for its end; to be called once.
  func exitCode(within limit: Duration = .seconds(60)) async throws -> Int32 {
    try await end.next("the end of process \(processID)", within: limit)
  }

  /// Runs a program to its end.
  static func run(
    _ path: String, _ arguments: [String], environment: [String: String] = [:]
  ) async throws -> (code: Int32, output: String, complaint: String) {
    let program = try Program(path, arguments, environment: environment)
    let code = try await program.exitCode()
    return (code, program.output.all.joined(separator: "\n"), program.complaints.all.joined(separator: "\n"))
  }

  /// Serializes starts, so that no child inherits the pipes of another.
  private static let starting = Mutex(())

  private static func makePipe() throws -> (read: Int32, write: Int32) {
    var files: [Int32] = [0, 0]
    guard pipe(&files) == 0 else { throw Unexpected("no pipe: \(String(cString: strerror(errno)))") }
    for file in files { _ = fcntl(file, F_SETFD, FD_CLOEXEC) }
    return (files[0], files[1])
  }

  /// Starts a process with these two files, an empty input and nothing else open.
  private static func spawn(
    _ arguments: [String], _ environment: [String], _ output: Int32, _ errors: Int32
  ) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
    for file in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap({ Int32($0) })
    where file > 2 {
      posix_spawn_file_actions_addclose(&actions, file)
    }
    // The threads of a test runner block signals, and a child inherits that.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var noSignals = sigset_t()
    sigemptyset(&noSignals)
    posix_spawnattr_setsigmask(&attributes, &noSignals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let strings = [arguments, environment].map { $0.map { strdup($0) } + [nil] }
    defer { strings.joined().forEach { free($0) } }
    var processID: pid_t = 0
    let status = posix_spawn(&processID, arguments[0], &actions, &attributes, strings[0], strings[1])
    guard status == 0 else {
      throw Unexpected("\(arguments[0]) cannot be started: \(String(cString: strerror(status)))")
    }
    return processID
  }

  /// Reads lines to the end and closes the file.
  private static func read(_ file: Int32, into lines: Inflow<String>) {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var rest: [UInt8] = []
    while case let count = Glibc.read(file, &buffer, buffer.count), count > 0 {
      rest += buffer.prefix(count)
      var complete = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      rest = Array(complete.popLast() ?? [])
      for line in complete { lines.append(String(decoding: line, as: UTF8.self)) }
    }
    if !rest.isEmpty { lines.append(String(decoding: rest, as: UTF8.self)) }
    close(file)
  }
}
