import Recurrence
package import Scheduling

/// The rules that every `MessageStore` obeys. Each is run against the store in memory and the store in a file; a new rule is
/// added here, never in the tests of one of them.
package enum MessageStoreConformance {
  package static let checks = keeping + ordering + changing + finding + listing + agreement
}

package typealias MessageStoreCheck = ConformanceCheck<any MessageStore>
package typealias MessageStoreFixture = ConformanceFixture<any MessageStore>

extension MessageStoreConformance {
  static let orders = MessageRoute(front: "orders.delayed", back: "orders")
  static let bills = MessageRoute(front: "bills.delayed", back: "bills")

  private static let keeping = [
    MessageStoreCheck("nothing is pending in a new store") { fixture in
      try expectEqual(fixture.store.lastMessage(), 0, "last number")
      try expectEqual(fixture.store.messageTotals(), [], "totals")
      try expectEqual(fixture.store.due(on: orders).messages, [], "due")
      try expectEqual(fixture.store.pendingMessages(withID: [1], limit: 1), [], "by id")
    },
    MessageStoreCheck("what is kept comes back whole") { fixture in
      let messages = [
        PendingMessage.sample(3, due: 30, key: [0, 0xFF], id: [0xFE, 0], owner: [], body: [0, 1, 0xFF]),
        .sample(4, due: 30, key: [], id: [], owner: [0x75], body: []),
        .sample(70_000, due: 31, key: [1], id: nil, owner: nil, body: Array(repeating: 7, count: 100_000)),
      ]
      try fixture.store.apply(messages.map { .keep($0) })
      for _ in 0..<2 {
        try expectEqual(fixture.store.due(on: orders), MessagePage(messages: messages), "due")
        try expectEqual(fixture.store.pending(on: orders), messages.map(\.summary), "without contents")
        try expectEqual(fixture.store.lastMessage(), 70_000, "last number")
        try fixture.reopen()
      }
    },
    MessageStoreCheck("a number that is not above all pending ones changes nothing") { fixture in
      try fixture.store.apply([.keep(.sample(5, due: 1))])
      for number in [5, 4] as [Int64] {
        let changes: [MessageChange] = [.keep(.sample(6, due: 1)), .remove(5), .keep(.sample(number, due: 1))]
        try expect((try? fixture.store.apply(changes)) == nil, "number \(number) was taken")
        try expectEqual(fixture.store.numbers(on: orders), [5], "pending")
        try expectEqual(fixture.store.messageTotals().map(\.messages), [1], "totals")
      }
      try fixture.store.apply([.remove(5)])
      try fixture.store.apply([.keep(.sample(5, due: 1))])
    },
  ]

  private static let ordering = [
    MessageStoreCheck("messages are due in order of time, then of arrival, each route for itself") { fixture in
      try fixture.store.apply([
        .keep(.sample(1, due: 20)), .keep(.sample(2, due: 10)), .keep(.sample(3, due: 10, route: bills)),
        .keep(.sample(4, due: 20)), .keep(.sample(5, due: -5)), .keep(.sample(6, due: 10)),
      ])
      try expectEqual(fixture.store.numbers(on: orders), [5, 2, 6, 1, 4], "orders")
      try expectEqual(fixture.store.numbers(on: bills), [3], "bills")
      try expectEqual(fixture.store.numbers(on: MessageRoute(front: "orders.delayed", back: "x")), [], "another route")
    },
    MessageStoreCheck("pages continue after a position and end at an instant, both exactly") { fixture in
      let dues: [Int64] = [10, 10, 10, 20, 20, 30]
      try fixture.store.apply(dues.enumerated().map { .keep(.sample(Int64($0 + 1), due: $1)) })
      let expected: [(after: (Int64, Int64)?, through: Int64, numbers: [Int64], isLast: Bool)] = [
        (nil, 9, [], true), (nil, 10, [1, 2, 3], true), (nil, 20, [1, 2, 3], false), ((10, 1), 10, [2, 3], true),
        ((10, 3), 10, [], true), ((10, 2), 20, [3, 4, 5], true), ((10, 2), 30, [3, 4, 5], false),
        ((20, .min), 30, [4, 5, 6], true), ((31, .min), 30, [], true), ((10, .max), 20, [4, 5], true),
      ]
      for (after, through, numbers, isLast) in expected {
        let position = after.map { MessagePosition(due: Instant(milliseconds: $0.0), sequence: $0.1) }
        let page = try fixture.store.dueMessages(
          of: orders, after: position, through: Instant(milliseconds: through), limit: 3)
        try expectEqual(page.messages.map(\.summary.sequence), numbers, "after \(String(describing: after))")
        try expectEqual(page.isLast, isLast, "last page through \(through)")
        let summaries = try fixture.store.pendingMessages(
          of: orders, after: position, through: Instant(milliseconds: through), limit: 3)
        try expectEqual(summaries.map(\.sequence), numbers, "without contents")
      }
    },
    MessageStoreCheck("a page has a bounded size, and at least one message") { fixture in
      let sizes = [MessagePage.maximumBytes + 1, 1, MessagePage.maximumBytes - 1, 100, 1]
      try fixture.store.apply(
        sizes.enumerated().map { .keep(.sample(Int64($0 + 1), due: 1, body: Array(repeating: 1, count: $1))) })
      var (pages, position): ([[Int64]], MessagePosition?) = ([], nil)
      var isLast = false
      while !isLast {
        let page = try fixture.store.dueMessages(
          of: orders, after: position, through: Instant(milliseconds: 1), limit: 10)
        pages.append(page.messages.map(\.summary.sequence))
        position = page.messages.last?.position
        isLast = page.isLast
      }
      try expectEqual(pages, [[1], [2, 3], [4, 5]], "pages")
    },
  ]

  private static let changing = [
    MessageStoreCheck("what is removed is gone, once") { fixture in
      try fixture.store.apply((1...3).map { .keep(.sample($0, due: 10, id: [1])) })
      for _ in 0..<2 {
        try fixture.store.apply([.remove(2), .remove(9)])
        try expectEqual(fixture.store.numbers(on: orders), [1, 3], "pending")
        try expectEqual(fixture.store.pendingMessages(withID: [1], limit: 9).map(\.sequence), [1, 3], "by id")
        try expectEqual(fixture.store.messageTotals().map(\.messages), [2], "totals")
      }
      try fixture.store.apply([.keep(.sample(4, due: 10)), .remove(4)])
      try expectEqual(fixture.store.numbers(on: orders), [1, 3], "kept and removed in one call")
    },
    MessageStoreCheck("a message that is moved is due at another time, and stays as it was") { fixture in
      try fixture.store.apply((1...3).map { .keep(.sample($0, due: $0 * 10, id: [1])) })
      try fixture.store.apply([.move(1, due: Instant(milliseconds: 25)), .move(9, due: Instant(milliseconds: 1))])
      try fixture.reopen()
      var moved = PendingMessage.sample(1, due: 10, id: [1])
      moved.summary.due = Instant(milliseconds: 25)
      try expectEqual(
        fixture.store.due(on: orders).messages, [.sample(2, due: 20, id: [1]), moved, .sample(3, due: 30, id: [1])],
        "due")
      try expectEqual(fixture.store.pendingMessages(withID: [1], limit: 1), [moved.summary], "by id")
      try expectEqual(fixture.store.messageTotals().map(\.messages), [3], "totals")
    },
    MessageStoreCheck("totals follow every change, and a route stays with nothing pending") { fixture in
      let messages = [
        PendingMessage.sample(1, due: 30, body: [1, 2]), .sample(2, due: 20, body: []),
        .sample(3, due: 5, route: bills),
      ]
      try fixture.store.apply(messages.map { .keep($0) })
      let bytes = messages.map(\.summary.bytes)
      try fixture.reopen()
      try expectEqual(
        fixture.store.messageTotals(),
        [
          MessageTotals(route: bills, messages: 1, bytes: bytes[2], nextDue: Instant(milliseconds: 5)),
          MessageTotals(route: orders, messages: 2, bytes: bytes[0] + bytes[1], nextDue: Instant(milliseconds: 20)),
        ], "after three")
      try fixture.store.apply([.remove(2), .remove(3), .move(1, due: Instant(milliseconds: 7))])
      try expectEqual(
        fixture.store.messageTotals(),
        [
          MessageTotals(route: bills),
          MessageTotals(route: orders, messages: 1, bytes: bytes[0], nextDue: Instant(milliseconds: 7)),
        ], "after two were removed")
    },
  ]

  private static let finding = [
    MessageStoreCheck("an id finds all messages with it, in order of arrival, wherever they are") { fixture in
      let numbers: [Int64] = [1, 8191, 8192, 16_384, 16_385, 1 << 40]
      for (index, number) in numbers.enumerated() {
        try fixture.store.apply([
          .keep(
            .sample(number, due: Int64(100 - index), route: index == 2 ? bills : orders, id: index == 4 ? [2] : [1]))
        ])
      }
      try fixture.store.apply([.keep(.sample(1 << 41, due: 1, id: [])), .keep(.sample(1 << 42, due: 1, id: nil))])
      let expected: [([UInt8], [Int64])] = [
        ([1], [1, 8191, 8192, 16_384, 1 << 40]), ([2], [16_385]), ([], [1 << 41]), ([3], []), ([1, 0], []),
      ]
      for (id, numbers) in expected {
        let found = try fixture.store.pendingMessages(withID: id, limit: 100)
        try expectEqual(found.map(\.sequence), numbers, "with id \(id)")
        for limit in 1...3 {
          let some = try fixture.store.pendingMessages(withID: id, limit: limit)
          try expectEqual(some, Array(found.prefix(limit)), "the first \(limit) with id \(id)")
        }
      }
      try expectEqual(fixture.store.pendingMessages(withID: [1], limit: 9)[2].route, bills, "its route")
    }
  ]

  private static let listing = [
    MessageStoreCheck("a list has all that fits, in due order over all routes, in pages") { fixture in
      var random = SeededGenerator(seed: 7)
      var messages: [PendingMessage] = []
      for number in 1...200 {
        messages.append(
          .sample(
            Int64(number), due: Int64.random(in: 0...50, using: &random),
            route: Bool.random(using: &random) ? orders : bills,
            key: [UInt8.random(in: 0...3, using: &random)], id: [UInt8.random(in: 0...9, using: &random)]))
      }
      try fixture.store.apply(messages.map { .keep($0) })
      let searches = [
        MessageSearch(), MessageSearch(front: "orders.delayed"), MessageSearch(front: "none"),
        MessageSearch(routingKey: [1]), MessageSearch(messageID: [4]),
        MessageSearch(front: "bills.delayed", routingKey: [2], dueAfter: Instant(milliseconds: 10)),
        MessageSearch(dueAfter: Instant(milliseconds: 20), dueBefore: Instant(milliseconds: 30)),
      ]
      for search in searches {
        let expected = messages.map(\.summary).filter(search.fits).sorted { $0.position < $1.position }
        for (limit, examining) in [(1000, 1000), (7, 100), (7, 5), (1, 1), (5, 5)] {
          var (found, position): ([PendingMessage.Summary], MessagePosition?) = ([], nil)
          repeat {
            let page = try fixture.store.list(search, after: position, limit: limit, examining: examining)
            try expect(page.messages.count <= limit, "a page of \(page.messages.count)")
            try expect(page.next.map { $0 > position ?? .before(Instant(milliseconds: .min)) } ?? true, "no progress")
            found += page.messages
            position = page.next
          } while position != nil
          try expectEqual(found, expected, "\(search), \(limit) of \(examining)")
        }
      }
    }
  ]

  /// Random changes leave the same as in memory.
  private static let agreement = [
    MessageStoreCheck("a store agrees with the one in memory after random changes") { fixture in
      var random = SeededGenerator(seed: 11)
      let model = MemoryMessageStore()
      var last: Int64 = 0
      for step in 0..<60 {
        let changes = (0..<Int.random(in: 1...20, using: &random)).map { _ -> MessageChange in
          let known = Int64.random(in: 0...(last + 1), using: &random)
          switch Int.random(in: 0..<4, using: &random) {
          case 0: return .remove(known)
          case 1: return .move(known, due: Instant(milliseconds: .random(in: 0...99, using: &random)))
          default:
            last += Int64.random(in: 1...5000, using: &random)
            return .keep(
              .sample(
                last, due: .random(in: 0...99, using: &random), route: Bool.random(using: &random) ? orders : bills,
                id: Bool.random(using: &random) ? [UInt8.random(in: 0...5, using: &random)] : nil))
          }
        }
        try fixture.store.apply(changes)
        try model.apply(changes)
        if step % 20 == 19 { try fixture.reopen() }
        try expectEqual(fixture.store.messageTotals(), model.messageTotals(), "totals")
        for route in [orders, bills] {
          try expectEqual(fixture.store.due(on: route), model.due(on: route), "due on \(route)")
        }
        for id in 0...5 as ClosedRange<UInt8> {
          try expectEqual(
            fixture.store.pendingMessages(withID: [id], limit: 50), model.pendingMessages(withID: [id], limit: 50),
            "by id")
        }
      }
    }
  ]
}

extension PendingMessage {
  /// A message for tests.
  package static func sample(
    _ sequence: Int64, due: Int64, route: MessageRoute = MessageStoreConformance.orders, key: [UInt8] = [1],
    id: [UInt8]? = [2], owner: [UInt8]? = [3], body: [UInt8] = [4]
  ) -> PendingMessage {
    let properties: [UInt8] = [0, 0, UInt8(truncatingIfNeeded: sequence)]
    return PendingMessage(
      summary: Summary(
        sequence: sequence, route: route, due: Instant(milliseconds: due), received: Instant(milliseconds: due - 1),
        routingKey: key, messageID: id, owner: owner, bytes: key.count + properties.count + body.count),
      content: Content(properties: properties, body: body))
  }
}

extension MessageStore {
  fileprivate func due(on route: MessageRoute) throws(StoreError) -> MessagePage {
    try dueMessages(of: route, after: nil, through: Instant(milliseconds: .max), limit: 1000)
  }

  fileprivate func pending(on route: MessageRoute) throws(StoreError) -> [PendingMessage.Summary] {
    try pendingMessages(of: route, after: nil, through: Instant(milliseconds: .max), limit: 1000)
  }

  fileprivate func numbers(on route: MessageRoute) throws(StoreError) -> [Int64] {
    try pending(on: route).map(\.sequence)
  }
}
