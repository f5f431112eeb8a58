import Foundation
import Glibc

/// A kind of moment at which a service is killed or its disk fails, and how to do that at the Nth one.
enum CrashPoint: Sendable {
  /// Before a system call of this name.
  case systemCall(String)
  /// A system call of this name fails with this error; one in `every` is tried.
  case failure(String, error: String, every: Int = 1)
  /// At a step of a command or a tick: a failpoint, which only a debug build has.
  case step(String)
  /// As above, but the thread first hangs there while the others continue.
  case hangingStep(String)

  var name: String {
    switch self {
    case .systemCall(let name), .step(let name): name
    case .failure(let name, let error, _): "\(name) \(error)"
    case .hangingStep(let name): "hanging \(name)"
    }
  }

  /// The distance between two that are tried.
  var stride: Int { if case .failure(_, _, let every) = self { every } else { 1 } }

  /// How the service ends there, as `ServiceProcess.end` returns it.
  var exitCode: Int32 { if case .failure = self { 6 } else { -SIGKILL } }

  func arm(_ service: ServiceProcess, _ number: Int) {
    Self.disarm(service)
    switch self {
    case .systemCall(let name): service.trace(name, injecting: "signal=KILL", at: number)
    case .failure(let name, let error, _): service.trace(name, injecting: "error=\(error)", at: number)
    case .step(let step): service.failpoints = "\(step)=kill@\(number)"
    case .hangingStep(let step): service.failpoints = "\(step)=hang@\(number)"
    }
  }

  static func disarm(_ service: ServiceProcess) {
    service.tracer = []
    unlink(service.traceFile)
    service.failpoints = nil
  }
}

extension ServiceProcess {
  fileprivate func trace(_ systemCall: String, injecting deed: String, at number: Int) {
    // Without --seccomp-bpf, with which strace 6.1 kills at the first call or never.
    tracer = [
      TestEnvironment.strace, "-D", "-f", "-qq", "-o", traceFile, "-e", "trace=\(systemCall)", "-e",
      "inject=\(systemCall):\(deed):when=\(number)",
    ]
  }

  fileprivate var traceFile: String { folder.appending(path: "trace").path() }

  /// Whether a system call was made to fail.
  var hasMetFailure: Bool {
    (try? String(contentsOfFile: traceFile, encoding: .utf8).contains("(INJECTED)")) ?? false
  }

  /// The failpoints from the next start on.
  var failpoints: String? {
    get { environment["POCKETWATCH_FAILPOINTS"] }
    set { environment["POCKETWATCH_FAILPOINTS"] = newValue }
  }

  /// Whether it has reached a failpoint at which it hangs.
  var isHanging: Bool { log.contains { $0.hasPrefix("failpoint:") && $0.hasSuffix("hang") } }
}
