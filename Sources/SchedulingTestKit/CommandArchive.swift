package import Scheduling
import Synchronization

/// The commands behind the raw deliveries of a test: a delivery's body is the number of its command.
package final class CommandArchive: Sendable {
  private struct State {
    var entries: [Int: (origin: Origin, replyTo: ReplyAddress?, content: ReceivedCommand.Content)] = [:]
    var poison: Set<Int> = []
    var hasMetPoison = false
  }

  private let state = Mutex(State())

  package init() {}

  package func raw(
    _ content: ReceivedCommand.Content, origin: Origin = Origin(), replyTo: ReplyAddress? = nil, number: Int? = nil,
    isPoison: Bool = false
  ) -> RawDelivery {
    state.withLock { state in
      let number = number ?? state.entries.count
      state.entries[number] = (origin, replyTo, content)
      if isPoison { state.poison.insert(number) }
      return RawDelivery(number: number)
    }
  }

  package func decode(_ raw: RawDelivery, from source: CommandSource) -> ReceivedCommand {
    state.withLock { state in
      if state.poison.contains(raw.number) { state.hasMetPoison = true }
      let entry = state.entries[raw.number]
      return ReceivedCommand(
        source: source, size: raw.body.count, origin: entry?.origin ?? Origin(), replyTo: entry?.replyTo,
        content: entry?.content ?? .ownEvent)
    }
  }

  /// Whether a command that ends its process was decoded since the last call.
  package func takePoison() -> Bool {
    state.withLock { state in
      defer { state.hasMetPoison = false }
      return state.hasMetPoison
    }
  }
}

extension RawDelivery {
  package init(number: Int) {
    self.init(routingKey: [], properties: [], body: withUnsafeBytes(of: UInt64(number).bigEndian) { Array($0) })
  }

  package var number: Int { Int(truncatingIfNeeded: body.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }) }
}
