import HTTPTypes
import Hummingbird
import ServiceLifecycle
import Synchronization

/// Server-sent events for a bounded number of readers. Each stream polls, so that a tick costs the same with readers
/// and without.
final class EventStreams: Sendable {
  private let source: any AdminSource
  private let readers = Atomic<Int>(0)

  private static let maximumReaders = 16
  private static let pause = Duration.milliseconds(500)
  /// Pauses between keep-alive comments, which reveal a reader that has gone.
  private static let pausesUntilKeepAlive = 20
  /// A stream ends after 20 minutes; browsers reconnect.
  private static let maximumPauses = 2_400

  init(source: any AdminSource) {
    self.source = source
  }

  /// - Parameters:
  ///   - number: The last event that the reader has; nil to begin with the next one.
  ///   - isAllowed: Checked at each poll; the stream ends when access is revoked.
  func response(after number: Int?, isAllowed: @escaping @Sendable () -> Bool) throws -> Response {
    guard readers.load(ordering: .relaxed) < Self.maximumReaders else {
      throw AdminError(.unavailable, "too many event streams are open; close one")
    }
    let first = number ?? source.recent.lastNumber
    let body = ResponseBody { [self] writer in
      readers.wrappingAdd(1, ordering: .relaxed)
      defer { readers.wrappingSubtract(1, ordering: .relaxed) }
      try await write(after: first, while: isAllowed, to: &writer)
      try await writer.finish(nil)
    }
    return Response(status: .ok, headers: [.contentType: "text/event-stream"], body: body)
  }

  @concurrent
  private func write(
    after number: Int, while isAllowed: @Sendable () -> Bool, to writer: inout any ResponseBodyWriter
  ) async throws {
    var last = number
    try await writer.write(ByteBuffer(string: "retry: 3000\n\n"))
    for pause in 1...Self.maximumPauses where !Task.isShuttingDownGracefully && isAllowed() {
      // After a restart of the service, numbers begin at 1 again.
      if last > source.recent.lastNumber { last = 0 }
      let entries = source.recent.entries(after: last)
      if let newest = entries.last { last = newest.number }
      let text = entries.map { "id: \($0.number)\ndata: \(APIEvent($0).line)\n\n" }.joined()
      if !text.isEmpty {
        try await writer.write(ByteBuffer(string: text))
      } else if pause % Self.pausesUntilKeepAlive == 0 {
        try await writer.write(ByteBuffer(string: ": keep-alive\n\n"))
      }
      try await Task.sleep(for: Self.pause)
    }
  }
}
