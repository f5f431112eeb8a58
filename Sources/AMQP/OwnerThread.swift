import CLinux
import Glibc

/// A thread for one connection and its blocking calls, outside Swift's cooperative pool.
struct OwnerThread {
  /// The C library decodes nested header tables by unlimited recursion, and a frame of 128 KiB can nest 26,000 levels.
  /// Only touched pages take memory.
  private static let stackBytes = 64 << 20

  /// Starts a detached thread that runs `body`, with all signals blocked.
  ///
  /// - Parameter name: At most 15 bytes, shown by `ps -L` and debuggers.
  static func start(name: String, _ body: @escaping @Sendable () -> Void) throws(AMQPError) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, stackBytes)
    pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    let context = Unmanaged.passRetained(Context(name: name, body: body))
    var thread = pthread_t()
    let status = pthread_create(&thread, &attributes, runContext, context.toOpaque())
    if status != 0 {
      context.release()
      throw AMQPError(.invalidConfiguration, "cannot start a thread: \(String(cString: strerror(status)))")
    }
  }

  fileprivate final class Context: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }
  }
}

private func runContext(_ pointer: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let pointer else { return nil }
  let context = Unmanaged<OwnerThread.Context>.fromOpaque(pointer).takeRetainedValue()
  var signals = sigset_t()
  sigfillset(&signals)
  pthread_sigmask(SIG_BLOCK, &signals, nil)
  pthread_setname_np(pthread_self(), String(context.name.prefix(15)))
  context.body()
  return nil
}
