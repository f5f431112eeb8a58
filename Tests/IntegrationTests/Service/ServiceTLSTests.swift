import AMQP
import Foundation
import PocketwatchService
import Testing

/// P22: over `amqps`, and with a broker that does not authenticate itself.
@Suite(
  "The service: TLS", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: TestEnvironment.hasService && PrivateBroker.script != nil, TestEnvironment.needsService))
struct ServiceTLSTests {
  /// A connection that must be refused.
  private struct Wrong {
    let name: String
    /// Changes the right URL.
    var url: (inout URLComponents) -> Void = { _ in }
    var caFile: String?
  }

  @Test("an authenticated broker is used; any other gets no login, and the log has the reason")
  func service() async throws {
    let (good, other) = (try await TestCertificates.make(), try await TestCertificates.make())
    defer {
      good.remove()
      other.remove()
    }
    try await PrivateBroker.running(["--tls", good.folder.path()]) { broker in
      let plain = try await broker.url()
      try await ServiceProcess.prepared(on: try #require(plain.string)) { service, bus in
        let right = try await broker.url("amqps")
        try await serves(service, bus, right, good.ca)
        let encrypted = try await broker.ctl("list_connections", "ssl")
        #expect(String(decoding: encrypted, as: UTF8.self).split(separator: "\n").count { $0 == "true" } == 2)
        #expect(try await service.stop() == 0)

        let heard = bus.events.all.count
        try await bus.start(#""id": "later", "every": "1h""#)
        let ways = [
          Wrong(name: "another CA", caFile: other.ca),
          Wrong(name: "a name that is not in the certificate", url: { $0.host = "127.0.0.1" }),
          Wrong(name: "the plain port", url: { $0.port = plain.port }),
        ]
        for wrong in ways {
          var url = right
          wrong.url(&url)
          try await isRefused(wrong, service, url, wrong.caFile ?? good.ca)
          #expect(try bus.withConnection { try $0.checkQueue(bus.names.commandQueue)?.messages } == 1, "\(wrong.name)")
        }
        #expect(bus.events.all.count == heard)
        try await isRefusedAtOnce(service, right)
        service.environment["POCKETWATCH_AMQP_CA_FILE"] = good.ca
        try await service.start()
        _ = try await bus.next("Schedule Started", of: "later")
        #expect(try await service.stop() == 0)
      }
    }
  }

  private func serves(
    _ service: ServiceProcess, _ bus: ServiceBus, _ url: URLComponents, _ caFile: String
  ) async throws {
    service.environment["POCKETWATCH_AMQP_URL"] = url.string
    service.environment["POCKETWATCH_AMQP_CA_FILE"] = caFile
    try await service.start()
    try await bus.start(#""id": "s", "duration": "1s", "payload": "\#(String(repeating: "x", count: 100_000))""#)
    #expect(try await bus.next("Schedule Tick", of: "s").payload?.utf8.count == 100_002)
  }

  private func isRefused(
    _ wrong: Wrong, _ service: ServiceProcess, _ url: URLComponents, _ caFile: String
  ) async throws {
    service.environment["POCKETWATCH_AMQP_URL"] = url.string
    service.environment["POCKETWATCH_AMQP_CA_FILE"] = caFile
    try service.launch()
    let entry = try await service.logs("not ready: cannot establish a TLS connection")
    #expect(entry.message.contains("cannot establish a TLS connection to the broker"), "\(wrong.name): \(entry)")
    #expect(entry.message.contains("Check the CA file"), "\(wrong.name): \(entry)")
    try await Task.sleep(for: .seconds(4))  // it retries after 3 s
    let log = service.log
    #expect(!log.contains { $0.contains(#"":"ready""#) || $0.contains("connected for publishing\"") }, "\(wrong.name)")
    #expect(log.count { $0.contains("not ready: cannot establish a TLS connection") } == 1, "logged once: \(log)")
    #expect(!log.contains { $0.contains(url.password ?? "") })
    #expect(try await service.stop() == 0)
  }

  /// A missing file is a wrong setting, not a broker's fault.
  private func isRefusedAtOnce(_ service: ServiceProcess, _ url: URLComponents) async throws {
    let missing = service.folder.appending(path: "no-ca.pem").path()
    service.environment["POCKETWATCH_AMQP_URL"] = url.string
    service.environment["POCKETWATCH_AMQP_CA_FILE"] = missing
    try service.launch()
    let complaints = try #require(service.program).complaints
    #expect(try await service.end() == 78)
    let complaint = complaints.all.joined(separator: "\n")
    #expect(complaint.contains("POCKETWATCH_AMQP_CA_FILE") && complaint.contains(missing), "\(complaint)")
    #expect(!complaint.contains(url.password ?? ""))
  }
}
