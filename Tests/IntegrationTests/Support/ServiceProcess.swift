import Foundation
import Glibc
import PocketwatchService
import Testing

/// A `pocketwatch serve` for one test, with a stack, a bus and a database of its own, so that many run on one broker.
final class ServiceProcess {
  /// An entry of the service's log.
  struct Entry: Decodable, Sendable {
    var time, level, message: String
    var id, cause: String?
  }

  let names: TopologyNames
  let folder: URL
  var arguments: [String]
  /// A tracer with its arguments: a program that starts the service in its place, under its own process id.
  var tracer: [String] = []
  var environment: [String: String]
  private(set) var program: Program?

  init(names: TopologyNames, folder: URL, broker: String, arguments: [String] = ["--declare"]) {
    self.names = names
    self.folder = folder
    self.arguments = arguments
    environment = [
      "POCKETWATCH_AMQP_URL": broker, "POCKETWATCH_STACK": names.stack, "POCKETWATCH_EVENT_BUS": names.eventBus,
      "POCKETWATCH_DATABASE": folder.appending(path: "pocketwatch.sqlite").path(),
      "POCKETWATCH_HTTP": "off",  // many run at the same time
    ]
  }

  var database: String { environment["POCKETWATCH_DATABASE"] ?? "" }

  /// Starts it and waits until it is ready.
  func start() async throws {
    try launch()
    try await logs(#"":"ready""#)
  }

  /// Starts it without waiting for anything.
  func launch() throws {
    let command = tracer + [TestEnvironment.binary, "serve"] + arguments
    program = try Program(command[0], Array(command.dropFirst()), environment: environment)
  }

  /// The next entry of the log that contains this text.
  @discardableResult
  func logs(_ text: String, within limit: Duration = .seconds(60)) async throws -> Entry {
    guard let program else { throw Inflow<String>.Missing(description: "the service was not started") }
    let line = try await program.complaints.next("the log's \"\(text)\"", within: limit) { $0.contains(text) }
    return try JSONDecoder().decode(Entry.self, from: Data(line.utf8))
  }

  /// The log of this process so far.
  var log: [String] { program?.complaints.all ?? [] }

  /// Its memory (RSS), in bytes.
  func residentMemory() throws -> Int {
    let process = program?.processID ?? 0
    let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
    guard let size = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
      throw Unexpected("process \(process) does not report its memory")
    }
    return size * 1024
  }

  /// Its processor time.
  func processorTime() throws -> Duration {
    let process = program?.processID ?? 0
    let words = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8).split(separator: " ")
    // User and system time, in hundredths of a second; the name before them has no space.
    return .milliseconds((words[13...14].compactMap { Int($0) }.reduce(0, +)) * 10)
  }

  /// Waits until both connections are there again that `breaking` ends.
  func reconnects(after breaking: () async throws -> Void) async throws {
    func count(_ purpose: String) -> Int { log.count { $0.contains(#"":"connected for \#(purpose)"#) } }
    let (consuming, publishing) = (count("consuming"), count("publishing"))
    try await breaking()
    try await until("new connections") { count("consuming") > consuming && count("publishing") > publishing }
  }

  var hasEnded: Bool { program?.hasEnded ?? true }

  /// Asks it to stop, and returns its exit code.
  func stop() async throws -> Int32 {
    program?.send(signal: SIGTERM)
    return try await end()
  }

  /// kill -9.
  func kill() async throws {
    program?.send(signal: SIGKILL)
    _ = try await end()
  }

  /// Waits for its end, and returns its exit code.
  func end(within limit: Duration = .seconds(60)) async throws -> Int32 {
    defer {
      expectNoStall()
      program = nil
    }
    let code = try await program?.exitCode(within: limit) ?? 0
    if [SIGABRT, SIGALRM, SIGILL, SIGTRAP, SIGSEGV].contains(-code) {
      Issue.record("the service crashed: signal \(-code)")
    }
    return code
  }

  /// In debug builds a call that blocks the engine's thread ends the service, after this line if it can be written.
  private func expectNoStall() {
    for line in log where line.contains("engine stalled") { Issue.record("\(line)") }
  }

  /// Ends it, whatever its state.
  func dispose() async {
    expectNoStall()
    program?.send(signal: SIGCONT)
    if program != nil { try? await kill() }
    try? FileManager.default.removeItem(at: folder)
  }
}

extension ServiceProcess {
  /// Runs `body` with a service that is not started and a client on its bus, and leaves nothing behind.
  ///
  /// - Parameter broker: The URL of the shared broker or of one of the test's own.
  static func prepared(
    on broker: String = TestEnvironment.brokerURL, stack: String? = nil,
    _ body: (ServiceProcess, ServiceBus) async throws -> Void
  ) async throws {
    let service = try make(broker: broker, stack: stack)
    let bus = try await ServiceBus(service.names, broker: broker)
    do {
      try await body(service, bus)
    } catch {
      await service.dispose()
      bus.close()
      throw error
    }
    await service.dispose()
    bus.close()
  }

  /// As above, with the service ready.
  static func running(
    on broker: String = TestEnvironment.brokerURL, _ body: (ServiceProcess, ServiceBus) async throws -> Void
  ) async throws {
    try await prepared(on: broker) { service, bus in
      try await service.start()
      try await body(service, bus)
    }
  }

  /// As `prepared`, with a service that reaches the shared broker through a proxy.
  static func throughProxy(
    _ fault: AMQPProxy.Fault = .none, _ body: (AMQPProxy, ServiceProcess, ServiceBus) async throws -> Void
  ) async throws {
    guard var url = URLComponents(string: TestEnvironment.brokerURL), let port = url.port.flatMap({ UInt16($0) }) else {
      throw Unexpected("the URL of the shared broker has no port")
    }
    let proxy = try AMQPProxy(to: port, fault)
    defer { proxy.close() }
    url.port = Int(proxy.port)
    try await prepared { service, bus in
      service.environment["POCKETWATCH_AMQP_URL"] = url.string
      try await body(proxy, service, bus)
    }
  }

  /// A service with unique names, by default.
  static func make(broker: String, stack: String? = nil) throws -> ServiceProcess {
    let stack = stack ?? "t-\(UUID().uuidString.prefix(13).lowercased())"
    let folder = FileManager.default.temporaryDirectory.appending(path: stack)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return ServiceProcess(
      names: TopologyNames(stack: stack, eventBus: "\(stack).events"), folder: folder, broker: broker)
  }
}
