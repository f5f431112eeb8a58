package import Recurrence
package import Scheduling

/// A store of delayed messages in memory: the simplest implementation of `MessageStore`.
package final class MemoryMessageStore: MessageStore {
  /// While set, every call throws it and changes nothing.
  package var fault: StoreError?

  private var messages: [Int64: PendingMessage] = [:]
  private var routes: Set<MessageRoute> = []

  package init() {}

  package func lastMessage() throws(StoreError) -> Int64 {
    try checkFault()
    return messages.keys.max() ?? 0
  }

  package func messageTotals() throws(StoreError) -> [MessageTotals] {
    try checkFault()
    return routes.sorted().map { route in
      let pending = summaries { $0.route == route }
      return MessageTotals(
        route: route, messages: pending.count, bytes: pending.reduce(0) { $0 + $1.bytes }, nextDue: pending.first?.due)
    }
  }

  package func apply(_ changes: [MessageChange]) throws(StoreError) {
    try checkFault()
    var last = messages.keys.max() ?? 0
    for case .keep(let message) in changes {
      guard message.summary.sequence > last else {
        throw StoreError(.other, "The number \(message.summary.sequence) of a message is not above \(last).")
      }
      last = message.summary.sequence
    }
    for change in changes {
      switch change {
      case .keep(let message):
        messages[message.summary.sequence] = message
        routes.insert(message.summary.route)
      case .remove(let sequence): messages[sequence] = nil
      case .move(let sequence, let due): messages[sequence]?.summary.due = due
      }
    }
  }

  package func dueMessages(
    of route: MessageRoute, after position: MessagePosition?, through: Instant, limit: Int
  ) throws(StoreError) -> MessagePage {
    try checkFault()
    var page = MessagePage()
    var bytes = 0
    for summary in pending(on: route, after: position, through: through) {
      guard page.messages.count < limit, bytes < MessagePage.maximumBytes else {
        page.isLast = false
        break
      }
      guard let message = messages[summary.sequence] else { continue }
      page.messages.append(message)
      bytes += summary.bytes
    }
    return page
  }

  package func pendingMessages(
    of route: MessageRoute, after position: MessagePosition?, through: Instant, limit: Int
  ) throws(StoreError) -> [PendingMessage.Summary] {
    try checkFault()
    return Array(pending(on: route, after: position, through: through).prefix(limit))
  }

  package func pendingMessages(
    withID messageID: [UInt8], limit: Int
  ) throws(StoreError) -> [PendingMessage.Summary] {
    try checkFault()
    let found = summaries { $0.messageID == messageID }.sorted { $0.sequence < $1.sequence }
    return Array(found.prefix(limit))
  }

  private func pending(
    on route: MessageRoute, after position: MessagePosition?, through: Instant
  ) -> [PendingMessage.Summary] {
    summaries { summary in
      summary.route == route && summary.due <= through && position.map { summary.position > $0 } ?? true
    }
  }

  /// In the order in which they are due.
  private func summaries(where fits: (PendingMessage.Summary) -> Bool) -> [PendingMessage.Summary] {
    messages.values.map(\.summary).filter(fits).sorted { $0.position < $1.position }
  }

  private func checkFault() throws(StoreError) {
    if let fault { throw fault }
  }
}
