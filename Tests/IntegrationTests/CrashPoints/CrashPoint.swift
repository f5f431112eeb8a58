/// A kind of moment at which a service is killed, and how that is done at the Nth of them.
enum CrashPoint: Sendable {
  /// Before a system call of this name.
  case systemCall(String)
  /// At a step of a command or a tick: a failpoint, which only a debug build has.
  case step(String)
  /// As above, but there it hangs first while its other threads go on.
  case hangingStep(String)

  var name: String {
    switch self {
    case .systemCall(let name), .step(let name): name
    case .hangingStep(let name): "hanging \(name)"
    }
  }

  func arm(_ service: ServiceProcess, _ number: Int) {
    switch self {
    case .systemCall(let name):
      // Not with --seccomp-bpf: strace 6.1 then kills at the first call or never.
      service.tracer = [
        "/usr/bin/strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(name)", "-e",
        "inject=\(name):signal=KILL:when=\(number)",
      ]
    case .step(let step): service.failpoints = "\(step)=kill@\(number)"
    case .hangingStep(let step): service.failpoints = "\(step)=hang@\(number)"
    }
  }

  static func disarm(_ service: ServiceProcess) {
    service.tracer = []
    service.failpoints = nil
  }
}

extension ServiceProcess {
  /// What is to happen at which step, from the next start on.
  var failpoints: String? {
    get { environment["POCKETWATCH_FAILPOINTS"] }
    set { environment["POCKETWATCH_FAILPOINTS"] = newValue }
  }

  /// Whether it has come to a failpoint where it hangs.
  var isHanging: Bool { log.contains { $0.hasPrefix("failpoint:") && $0.hasSuffix("hang") } }
}
