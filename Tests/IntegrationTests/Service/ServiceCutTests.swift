import AMQP
import Foundation
import PocketwatchService
import Testing

/// Row 15: the connection is cut after each byte of a Start, its tick and its end. (P1 to P8)
@Suite(
  "The service: cuts", .timeLimit(.minutes(5)),
  .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServiceCutTests {
  /// Which bytes: those that go one way, from the first on and then each so many later.
  struct Walk: Sendable, CustomTestStringConvertible {
    let direction: AMQPProxy.Direction
    let first: Int
    let stride: Int

    var testDescription: String { "\(direction) \(first), \(first + stride) …" }
  }

  private static let walks = [
    Walk(direction: .toBroker, first: 1, stride: 40), Walk(direction: .toBroker, first: 21, stride: 40),
    Walk(direction: .toClient, first: 1, stride: 10), Walk(direction: .toClient, first: 6, stride: 10),
  ]

  @Test("wherever it is cut, what was begun is finished on the next connection", arguments: walks)
  func cuts(_ walk: Walk) async throws {
    try await ServiceProcess.throughProxy { proxy, service, bus in
      // The same way many times: after a cut the next is taken without a pause.
      let url = service.environment["POCKETWATCH_AMQP_URL"] ?? ""
      service.environment["POCKETWATCH_AMQP_URL"] = Array(repeating: url, count: 20).joined(separator: " ")
      let client = try RecordingClient(service.names, broker: TestEnvironment.brokerURL)
      defer { client.stop() }
      try client.start()
      try await service.start()
      try client.watchDeadLetters()
      let bytes = try await walkThrough(walk, proxy, service, client)
      #expect(try await service.stop() == 0)
      #expect(try bus.withConnection { try $0.checkQueue(bus.names.commandQueue)?.messages } == 0)
      let checker = BusHistoryChecker.check(client.history)
      #expect(checker.violations == [])
      #expect(checker.figures.mostRepeats <= 1, "one tick is in flight")
      print(
        "cuts: \(walk.direction): \(proxy.cuts) in the \(bytes) bytes of a Start to its Stopped, "
          + "\(checker.figures.repeats) ticks repeated")
      #expect(proxy.cuts > 20)
      if walk.direction == .toClient { #expect(checker.figures.repeats > 0, "some confirms of ticks were cut") }
    }
  }

  /// Cuts later and later, until a Start comes to its Stopped without a cut. Returns how many bytes passed then.
  private func walkThrough(
    _ walk: Walk, _ proxy: AMQPProxy, _ service: ServiceProcess, _ client: RecordingClient
  ) async throws -> Int {
    for (index, bytes) in stride(from: walk.first, to: 20_000, by: walk.stride).enumerated() {
      let command = try #require(CrashScenario.limit.command(index + 1))
      let begin = Int64(Date.now.timeIntervalSince1970 * 1000)
      proxy.cut(after: bytes, walk.direction)
      client.publish(command, isRepeat: false)
      try await until("a cut after \(bytes) bytes, or the end") {
        proxy.cuts > index || client.has("Schedule Stopped", command.label)
      }
      guard proxy.cuts > index else {
        proxy.cutNoMore()
        return bytes
      }
      client.note(.connectionsClosed, since: begin)
      try await until("what was begun before the cut after \(bytes) bytes") {
        client.has("Schedule Stopped", command.label)
      }
      try await renewConnections(of: service, proxy)
      client.note(.recovered)
    }
    throw Unexpected("it never came through")
  }

  /// Both connections are made anew, so that each walk finds the same conversation.
  private func renewConnections(of service: ServiceProcess, _ proxy: AMQPProxy) async throws {
    func count(_ purpose: String) -> Int { service.log.count { $0.contains(#"":"connected for \#(purpose)"#) } }
    let (consuming, publishing) = (count("consuming"), count("publishing"))
    proxy.endAll()
    try await until("new connections") { count("consuming") > consuming && count("publishing") > publishing }
  }
}
