import AMQP
import Foundation
import PocketwatchService
import Testing

/// P1 to P8: the connection is cut after each byte of a Start, its tick and its end.
@Suite(
  "The service: cuts", .timeLimit(.minutes(5)),
  .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServiceCutTests {
  /// The bytes after which it is cut: in one direction, from the first on, at a fixed distance.
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

  @Test("cut after any byte, the service finishes on the next connection what it began", arguments: walks)
  func cuts(_ walk: Walk) async throws {
    try await ServiceProcess.throughProxy { proxy, service, bus in
      // Several times the same broker: after a cut the next one is tried without a pause.
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

  /// Cuts later each time, until a Start gets to its Stopped without a cut. Returns the number of bytes of that run.
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
      // So that each walk sees the same bytes.
      try await service.reconnects { proxy.endAll() }
      client.note(.recovered)
    }
    throw Unexpected("every run was cut")
  }
}
