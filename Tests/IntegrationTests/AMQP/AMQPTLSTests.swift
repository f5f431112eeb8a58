import AMQP
import Foundation
import Testing

/// P22: a broker that does not authenticate itself gets no login.
@Suite(
  .serialized, .timeLimit(.minutes(5)),
  .enabled(if: PrivateBroker.script != nil, "POCKETWATCH_TEST_BROKER names ops/broker; run ops/test"))
struct AMQPTLSTests {
  @Test func connectsOnlyToABrokerThatProvesItself() async throws {
    let (good, other) = (try await TestCertificates.make(), try await TestCertificates.make())
    defer {
      good.remove()
      other.remove()
    }
    try await PrivateBroker.running(["--tls", good.folder.path()]) { broker in
      let text = String(decoding: try await broker.command("url", ["amqps"]), as: UTF8.self)
      var url = try #require(try BrokerURL.list(text).first)
      url.host = "localhost"
      let connection = try connect(url, good.ca)
      #expect(try connection.checkExchange("amq.topic"))
      try publishLargeBody(on: connection)
      connection.close()

      #expect(try failure(url, other.ca).kind == .tls)
      #expect(try failure(url, "/nowhere/ca.pem").kind == .invalidConfiguration)
      #expect(try failure(url, nil).kind == .invalidConfiguration)
      url.host = "127.0.0.1"
      #expect(try failure(url, good.ca).kind == .tls)
      let plain = String(decoding: try await broker.command("url"), as: UTF8.self)
      url.host = "localhost"
      let ports = (plain: try #require(try BrokerURL.list(plain).first).port, tls: url.port)
      url.port = ports.plain
      #expect(try failure(url, good.ca).kind == .tls)
      #expect("\(try failure(url, good.ca))".contains("that the port expects TLS (usually 5671"))
      (url.usesTLS, url.port) = (false, ports.tls)
      #expect(
        "\(try failure(url, nil))".contains("If port \(ports.tls) expects TLS, the URL must begin with amqps://"))
    }
  }

  @Test(arguments: [
    ("", 1, true), ("-tls1_2", 1, true), ("", 0, false), ("-tls1_1 -cipher DEFAULT:@SECLEVEL=0", 1, false),
  ])
  func refusesExpiredAndOldOnes(options: String, days: Int, isAccepted: Bool) async throws {
    let certificates = try await TestCertificates.make(days: days)
    defer { certificates.remove() }
    let server = try await TLSServer(certificates.folder, options)
    defer { server.stop() }
    let url = try BrokerURL("amqps://localhost:\(server.port)")
    // No broker answers after the handshake, so an accepted certificate leads to another error.
    let error = try failure(url, certificates.ca, patience: .seconds(3))
    #expect(error.kind == (isAccepted ? .timeout : .tls))
  }

  /// OpenSSL would ask for the passphrase on the terminal, where a service would hang.
  @Test func anEncryptedKeyIsRefusedAndNotAskedAbout() async throws {
    let certificates = try await TestCertificates.make()
    defer { certificates.remove() }
    try await certificates.openssl("rsa -aes128 -passout pass:secret -in key.pem -out locked.pem")
    let file = { (name: String) in certificates.folder.appending(path: name).path() }
    func error(key: String) throws -> AMQPError {
      let url = try BrokerURL("amqps://localhost:1")
      let tls = TLSOptions(caFile: certificates.ca, certificateFile: file("cert.pem"), keyFile: file(key))
      let options = ConnectionOptions(brokers: [url], connectionName: "tls test", tls: tls)
      return try #require(throws: AMQPError.self) { try Connection(to: url, options: options) }
    }
    #expect(try error(key: "locked.pem").kind == .invalidConfiguration)
    // Nothing listens there: with a readable key it gets as far as connecting.
    #expect(try error(key: "key.pem").kind == .unreachable)
  }

  private func connect(_ url: BrokerURL, _ caFile: String?, patience: Duration = .seconds(20)) throws -> Connection {
    let options = ConnectionOptions(
      brokers: [url], connectionName: "tls test", rpcTimeout: patience, tls: caFile.map { TLSOptions(caFile: $0) })
    return try Connection(to: url, options: options)
  }

  private func failure(_ url: BrokerURL, _ caFile: String?, patience: Duration = .seconds(20)) throws -> AMQPError {
    try #require(throws: AMQPError.self) { try connect(url, caFile, patience: patience) }
  }

  /// Larger than a TLS record and the library's buffer, in both directions.
  private func publishLargeBody(on connection: Connection) throws {
    let body = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
    let queue = try connection.declareQueue("", durable: false, exclusive: true).name
    try connection.publish(Message(exchange: "", routingKey: queue, body: body))
    try connection.consume(queue, prefetch: 0)
    guard case .delivery(let delivery) = try connection.nextEvent() else {
      throw Unexpected("no delivery over TLS")
    }
    #expect(delivery.body.elementsEqual(body))
  }
}

/// A TLS listener that is silent after the handshake.
private struct TLSServer {
  let port: UInt16
  private let process = Process()

  init(_ folder: URL, _ options: String) async throws {
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/openssl")
    process.arguments =
      ["s_server", "-accept", "0", "-cert", "cert.pem", "-key", "key.pem"]
      + options.split(separator: " ").map(String.init)
    process.currentDirectoryURL = folder
    process.standardOutput = output
    process.standardInput = Pipe()
    process.standardError = FileHandle.nullDevice
    try process.run()
    var line = ""
    // It prints "ACCEPT 0.0.0.0:PORT" when it listens.
    while !line.contains("ACCEPT") || !line.hasSuffix("\n") {
      let data = output.fileHandleForReading.availableData
      if data.isEmpty { throw Unexpected("openssl s_server ended: \(line)") }
      line += String(decoding: data, as: UTF8.self)
    }
    guard let port = line.split(whereSeparator: { ":\n".contains($0) }).compactMap({ UInt16($0) }).last else {
      throw Unexpected("openssl s_server reported no port: \(line)")
    }
    self.port = port
  }

  /// Not `terminate()`: a child of a test inherits that signal blocked.
  func stop() { kill(process.processIdentifier, SIGKILL) }
}
