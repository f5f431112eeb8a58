import HTTPTypes
import Hummingbird
import Recurrence
import ServiceLifecycle
import Synchronization

/// Server-sent events of what happens, to a bounded number of readers. Each asks for what is new; nobody is called when
/// something happens, so that a tick costs the same with readers and without.
final class EventStreams: Sendable {
  private let source: any AdminSource
  private let readers = Atomic<Int>(0)

  private static let maximumReaders = 16
  private static let pause = Duration.milliseconds(500)
  /// Pauses after which a word is sent though nothing happened, so that a reader that is gone is noticed.
  private static let pausesUntilWord = 20
  /// A stream ends by itself after 20 min at least, and a browser opens another.
  private static let mostPauses = 2_400

  init(source: any AdminSource) {
    self.source = source
  }

  /// - Parameter number: The last event that the reader knows; nil for what comes from now on.
  func response(after number: Int?) throws -> Response {
    guard readers.load(ordering: .relaxed) < Self.maximumReaders else {
      throw AdminError(.unavailable, "too many live pages are open; close one")
    }
    let first = number ?? source.recent.lastNumber
    let body = ResponseBody { [self] writer in
      readers.wrappingAdd(1, ordering: .relaxed)
      defer { readers.wrappingSubtract(1, ordering: .relaxed) }
      try await write(after: first, to: &writer)
      try await writer.finish(nil)
    }
    return Response(status: .ok, headers: [.contentType: "text/event-stream"], body: body)
  }

  @concurrent
  private func write(after number: Int, to writer: inout any ResponseBodyWriter) async throws {
    var last = number
    try await writer.write(ByteBuffer(string: "retry: 3000\n\n"))
    for pause in 1...Self.mostPauses where !Task.isShuttingDownGracefully {
      // After a restart numbers begin anew.
      if last > source.recent.lastNumber { last = 0 }
      let entries = source.recent.entries(after: last)
      if let newest = entries.last { last = newest.number }
      let now = source.status.now
      let text = entries.map { "id: \($0.number)\ndata: \(EventRow($0, now: now).line)\n\n" }.joined()
      if !text.isEmpty {
        try await writer.write(ByteBuffer(string: text))
      } else if pause % Self.pausesUntilWord == 0 {
        try await writer.write(ByteBuffer(string: ": nothing\n\n"))
      }
      try await Task.sleep(for: Self.pause)
    }
  }
}
