package import Recurrence

/// What people search for among pending messages. All of its conditions apply.
package struct MessageSearch: Hashable, Sendable {
  /// Nil for all fronts.
  package var front: String?
  /// The whole key; nil for all.
  package var routingKey: [UInt8]?
  package var messageID: [UInt8]?
  /// Both inclusive.
  package var dueAfter: Instant?
  package var dueBefore: Instant?

  package init(
    front: String? = nil, routingKey: [UInt8]? = nil, messageID: [UInt8]? = nil, dueAfter: Instant? = nil,
    dueBefore: Instant? = nil
  ) {
    self.front = front
    self.routingKey = routingKey
    self.messageID = messageID
    self.dueAfter = dueAfter
    self.dueBefore = dueBefore
  }

  package func fits(_ message: PendingMessage.Summary) -> Bool {
    if let front, message.route.front != front { return false }
    if let routingKey, message.routingKey != routingKey { return false }
    if let messageID, message.messageID != messageID { return false }
    if let dueAfter, message.due < dueAfter { return false }
    if let dueBefore, message.due > dueBefore { return false }
    return true
  }
}

/// A page of a list of messages.
package struct MessageList: Hashable, Sendable {
  package var messages: [PendingMessage.Summary]
  /// Where the next page starts; nil at the end.
  package var next: MessagePosition?

  package init(messages: [PendingMessage.Summary] = [], next: MessagePosition? = nil) {
    self.messages = messages
    self.next = next
  }
}

extension MessageStore {
  /// Messages that match a search, in the order in which they are due, after `position`.
  ///
  /// - Parameters:
  ///   - limit: The most messages of one page.
  ///   - examining: The most rows read of each route. A page that ends for this reason may be short or empty, and has a `next`.
  package func list(
    _ search: MessageSearch, after position: MessagePosition?, limit: Int, examining: Int
  ) throws(StoreError) -> MessageList {
    let filters = search.routingKey != nil || search.messageID != nil
    let wanted = max(1, filters ? examining : min(limit, examining))
    var start = position
    if let first = search.dueAfter { start = max(position ?? .before(first), .before(first)) }
    var rows: [PendingMessage.Summary] = []
    // What is read of a route may end before rows of another one: then the page ends there.
    var end: MessagePosition?
    for route in try routes(of: search) {
      let read = try pendingMessages(
        of: route, after: start, through: search.dueBefore ?? Instant(milliseconds: .max), limit: wanted)
      rows += read
      if read.count == wanted, let last = read.last?.position { end = min(end ?? last, last) }
    }
    rows.sort { $0.position < $1.position }
    var list = MessageList()
    for row in rows where end.map({ row.position <= $0 }) ?? true {
      if search.fits(row) { list.messages.append(row) }
      if list.messages.count == limit {
        list.next = row.position == rows.last?.position && end == nil ? nil : row.position
        return list
      }
    }
    list.next = end
    return list
  }

  private func routes(of search: MessageSearch) throws(StoreError) -> [MessageRoute] {
    try messageTotals().filter { $0.messages > 0 && (search.front ?? $0.route.front) == $0.route.front }.map(\.route)
  }
}
