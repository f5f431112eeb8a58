import Logging
import PrometheusMetrics
import Scheduling
import ServiceLifecycle
import Synchronization
import Testing

@testable import AdminHTTP

/// The service on a real socket.
@Suite("The admin service", .serialized)
struct AdminServiceTests {
  /// Runs a service on a free port while `body` runs.
  private func serve(
    _ source: FakeSource = FakeSource(), change: (inout AdminSettings) -> Void = { _ in },
    _ body: (_ port: Int, _ stop: @Sendable () async -> Void) async throws -> Void
  ) async throws {
    let (ports, continuation) = AsyncStream<Int>.makeStream()
    var settings = AdminSettings(port: 0, token: fixedToken)
    change(&settings)
    let service = try AdminService(
      settings: settings, source: source, metrics: PrometheusRegistry(), logger: quietLogger,
      onChange: { if case .port(let port) = $0 { continuation.yield(port) } })
    let group = ServiceGroup(services: [service], logger: quietLogger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      var iterator = ports.makeAsyncIterator()
      let port = try #require(await iterator.next())
      try await body(port) { await group.triggerGracefulShutdown() }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }

  @Test("the event stream continues after the last event of its reader, and ends with the service")
  func events() async throws {
    let source = FakeSource()
    for number in 1...3 {
      source.recent.append(RecentEvent(at: FakeSource.now, kind: .stopped, id: nil, detail: "w\(number)."))
    }
    try await serve(source) { port, stop in
      let client = try RawClient(port: port)
      client.get("/api/v1/events?after=1")
      #expect(client.reads("w3."))
      #expect(client.received.contains("text/event-stream") && client.received.contains("id: 2\ndata: {"))
      #expect(!client.received.contains("w1."))
      source.recent.append(RecentEvent(at: FakeSource.now, kind: .stopped, id: nil, detail: "w4."))
      #expect(client.reads("w4."))
      await stop()
      #expect(client.isClosed())
    }
  }

  @Test("a connection with an incomplete request is closed")
  func slow() async throws {
    try await serve(change: { $0.idleSeconds = 1 }) { port, _ in
      for beginning in [
        "", "GET / HT", "GET / HTTP/1.1\r\nHost: localhost\r\nX: ",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx",
      ] {
        let client = try RawClient(port: port)
        client.send(beginning)
        #expect(client.isClosed(), "\(beginning)")
      }
    }
  }

  @Test("idle connections do not block others for long")
  func crowded() async throws {
    try await serve(change: { ($0.idleSeconds, $0.maximumConnections) = (1, 4) }) { port, _ in
      let waiting = try (1...8).map { _ in try RawClient(port: port) }
      let client = try RawClient(port: port)
      client.get("/healthz")
      #expect(client.reads("ok\n"))
      for other in waiting { #expect(other.isClosed()) }
    }
  }

  @Test("a connection that does not read its response is closed; others are served meanwhile")
  func stalled() async throws {
    let source = FakeSource()
    let detail = String(repeating: "x", count: 100_000)
    for _ in 1...500 { source.recent.append(RecentEvent(at: FakeSource.now, kind: .stopped, id: nil, detail: detail)) }
    try await serve(source, change: { $0.stalledSeconds = 1 }) { port, _ in
      let stalled = try RawClient(port: port)
      stalled.get("/api/v1/recent")
      let other = try RawClient(port: port)
      for _ in 1...3 {
        other.get("/healthz")
        #expect(other.reads("ok\n"))
        other.forget()
      }
      try stalled.waitForClose(by: port)
      #expect(stalled.isClosed())
      #expect(stalled.received.hasPrefix("HTTP/1.1 200") && stalled.received.utf8.count < 40_000_000)
      other.get("/healthz")
      #expect(other.reads("ok\n"))
    }
  }

  @Test("a request sent byte by byte, or followed by a half-close, is answered")
  func halfOpen() async throws {
    try await serve { port, _ in
      let slow = try RawClient(port: port)
      for character in "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" { slow.send(String(character)) }
      #expect(slow.reads("ok\n"))
      let halfOpen = try RawClient(port: port)
      halfOpen.get("/healthz")
      halfOpen.closeSending()
      #expect(halfOpen.reads("ok\n") && halfOpen.isClosed())
      let gone = try RawClient(port: port)
      gone.closeSending()
      #expect(gone.isClosed() && gone.received.isEmpty)
    }
  }

  @Test("a slow body is cut off at the time limit")
  func drip() async throws {
    try await serve(change: { $0.idleSeconds = 1 }) { port, _ in
      let client = try RawClient(port: port)
      client.send("POST /schedule/stop HTTP/1.1\r\nHost: localhost\r\n\(Self.bearer)Content-Length: 9999\r\n\r\n")
      // Between two bytes the client waits up to 100 ms for the end of the connection.
      let begin = ContinuousClock.now
      while ContinuousClock.now - begin < .seconds(8), !client.isClosed(within: 0.1) { client.send("x") }
      #expect(ContinuousClock.now - begin < .seconds(5))
    }
  }

  @Test("a response before the end of the request arrives, and the connection is closed")
  func early() async throws {
    try await serve { port, _ in
      for (head, status) in [
        ("POST /schedule/stop HTTP/1.1\r\nHost: localhost\r\n", "401"),
        ("POST /schedule/stop HTTP/1.1\r\nHost: localhost\r\nHost: x\r\n", "400"),
        ("POST /schedule/stop HTTP/1.1\r\nHost: localhost\r\n\(Self.bearer)", "403"),
      ] {
        let client = try RawClient(port: port)
        client.send(head + "Content-Length: 500\r\n\r\nx")
        #expect(client.reads("HTTP/1.1 \(status) "), "\(client.received)")
        // Later bytes are not parsed as a request.
        client.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(client.isClosed())
        #expect(!client.received.contains("200 OK"))
        #expect(client.received.lowercased().contains("\r\nconnection: close\r\n"), "\(client.received)")
      }
    }
  }

  @Test("pipelined requests are answered, also while the last is incomplete")
  func pipelined() async throws {
    try await serve(change: { $0.allowsChanges = true }) { port, _ in
      let client = try RawClient(port: port)
      client.send(
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n"
          + "POST /schedule/stop HTTP/1.1\r\nHost: localhost\r\n\(Self.bearer)Content-Length: 4\r\n\r\nid")
      #expect(client.reads("ok\n") && client.reads("ready\n"))
      client.send("=a")
      #expect(client.reads("sent=stop"))
      client.forget()
      client.get("/healthz")
      #expect(client.reads("ok\n"))
    }
  }

  @Test(
    "slow clients at the connection limit do not block health checks",
    arguments: ["GET / HT", "", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx"])
  func shutOut(beginning: String) async throws {
    try await serve(change: { ($0.maximumConnections, $0.crowdedMilliseconds) = (32, 200) }) { port, _ in
      let slow = try (1...96).map { _ in
        let client = try RawClient(port: port)
        client.send(beginning)
        return client
      }
      let begin = ContinuousClock.now
      let client = try RawClient(port: port)
      client.get("/healthz")
      #expect(client.reads("ok\n"))
      #expect(ContinuousClock.now - begin < .seconds(5), "their limit is 15 s")
      _ = slow.count
    }
  }

  private static let bearer = "Authorization: Bearer \(tokenText)\r\n"

  @Test("invalid or oversized HTTP is refused, and the next request is served")
  func malformed() async throws {
    try await serve { port, _ in
      for bytes in [
        "\u{0}\u{1}\u{2}\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
        "GET \(String(repeating: "x", count: 100_000)) HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: \(String(repeating: "x", count: 100_000))\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\n" + String(repeating: "X: y\r\n", count: 1000) + "\r\n",
      ] {
        let client = try RawClient(port: port)
        client.send(bytes)
        #expect(client.isClosed())
        #expect(!client.received.contains("200 OK"), "\(bytes.prefix(40))")
      }
      let client = try RawClient(port: port)
      client.get("/healthz")
      #expect(client.reads("ok\n"))
    }
  }

  @Test("an address in use is retried until it is free")
  func taken() async throws {
    let (states, continuation) = AsyncStream<AdminService.Listening>.makeStream()
    let second = Mutex<Task<Void, any Error>?>(nil)
    try await serve { port, _ in
      var iterator = states.makeAsyncIterator()
      var settings = AdminSettings(port: port, token: fixedToken)
      settings.retryMilliseconds = 20
      let service = try AdminService(
        settings: settings, source: FakeSource(), metrics: PrometheusRegistry(), logger: quietLogger,
        onChange: { continuation.yield($0) })
      second.withLock { $0 = Task { try await service.run() } }
      guard case .failed(let error) = await iterator.next() else { throw RawClient.Failure() }
      #expect(error.port == port && error.reason == "Address already in use")
      #expect("\(error)" == "cannot listen on 127.0.0.1 port \(port): Address already in use")
    }
    for await case .port in states { break }
    second.withLock { $0?.cancel() }
  }

  private static let backup = "POST /api/v1/backup HTTP/1.1\r\nHost: localhost\r\n\(bearer)Content-Length: 0\r\n\r\n"

  @Test("a backup is complete, with its length; a failure has a reason")
  func backup() async throws {
    let source = FakeSource()
    try await serve(source) { port, _ in
      let refused = try RawClient(port: port)
      refused.send(Self.backup)
      #expect(refused.reads(#"{"error":"another backup is being made"}"#))
      #expect(refused.received.hasPrefix("HTTP/1.1 409 "))
      let text = String(repeating: "0123456789", count: 100_000) + "end"
      source.state.withLock { $0.copy = FakeCopy(Array(text.utf8)) }
      let client = try RawClient(port: port)
      client.send(Self.backup)
      #expect(client.reads("9end"))
      #expect(client.received.hasPrefix("HTTP/1.1 200 ") && client.received.hasSuffix("\r\n\r\n" + text))
      #expect(client.received.contains("Content-Length: 1000003\r\n"))
      for header in ["Stack: billing", "Database: /data/%C3%A4%20b.sqlite", "Files: 1:2 1:3"] {
        #expect(client.received.contains("Pocketwatch-\(header)\r\n"), "\(header)")
      }
      let link = try RawClient(port: port)
      link.get("/api/v1/backup")
      #expect(link.reads("HTTP/1.1 405 ") || link.received.hasPrefix("HTTP/1.1 404 "))
    }
  }

  @Test("a truncated backup ends the connection")
  func shortBackup() async throws {
    let source = FakeSource()
    source.state.withLock { $0.copy = FakeCopy(Array("beginning".utf8), size: 20) }
    try await serve(source) { port, _ in
      let client = try RawClient(port: port)
      client.send(Self.backup)
      #expect(client.isClosed())
      #expect(client.received.hasSuffix("\r\n\r\nbeginning"))
    }
  }

  @Test("a client that disconnects cancels its backup")
  func abandonedBackup() async throws {
    let source = FakeSource()
    let steps = AsyncStream<String>.makeStream()
    source.state.withLock { $0.slowBackup = steps.continuation }
    try await serve(source) { port, _ in
      var progress = steps.stream.makeAsyncIterator()
      var client: RawClient? = try RawClient(port: port)
      client?.send(Self.backup)
      #expect(await progress.next() == "began")
      client = nil
      #expect(await progress.next() == "cancelled")
    }
  }
}
