import Scheduling

extension StoreConformance {
  private static func arrival(_ number: Int, _ deliveries: Int64) -> InboxArrival {
    InboxArrival(raw: RawDelivery(number: number), deliveries: deliveries)
  }

  static let inbox = [
    StoreCheck("inbox commands are returned in the order in which they were sent") { fixture in
      try fixture.store.apply([
        .inbox(.receive([arrival(3, 1), arrival(4, 1), arrival(1, 2)], batch: 1)),
        .inbox(.receive([arrival(2, 2)], batch: 1)), .inbox(.complete(batch: 1)),
        .inbox(.receive([arrival(5, 9)], batch: 2)), .inbox(.complete(batch: 2)),
      ])
      try fixture.reopen()
      try expectEqual(try fixture.store.load().inboxBatch, 2, "last complete batch")
      var numbers: [Int] = []
      var position: InboxPosition?
      while true {
        // Each is tried once by this, and not found to be so by the next page, which begins behind it.
        let page = try fixture.store.takeInbox(after: position, limit: 2)
        numbers += page.rows.map(\.raw.number)
        position = page.rows.last?.position ?? position
        if page.isLast { break }
      }
      try expectEqual(numbers, [1, 2, 3, 4, 5], "commands")
    },
    StoreCheck("an incomplete batch is not returned, and can be discarded") { fixture in
      try fixture.store.apply([.inbox(.receive([arrival(1, 1)], batch: 1))])
      try expectEqual(try fixture.store.takeInbox(after: nil, limit: 9).rows.count, 0, "seen")
      try fixture.store.apply([
        .inbox(.discardIncomplete), .inbox(.receive([arrival(2, 1)], batch: 1)), .inbox(.complete(batch: 1)),
      ])
      try expectEqual(try fixture.store.takeInbox(after: nil, limit: 9).rows.map(\.raw.number), [2], "commands")
    },
    StoreCheck("a command that was tried is returned alone, until it is answered") { fixture in
      try fixture.store.apply([
        .inbox(.receive([arrival(1, 1), arrival(2, 1), arrival(3, 1)], batch: 1)), .inbox(.complete(batch: 1)),
      ])
      let rows = try fixture.store.takeInbox(after: nil, limit: 9).rows
      try expectEqual(rows.map(\.tries), [0, 0, 0], "tries before")
      try fixture.reopen()
      let alone = try fixture.store.takeInbox(after: nil, limit: 9)
      try expectEqual(alone.rows.map(\.tries), [1], "the first, tried")
      try expectEqual(alone.isLast, false, "the last")
      let answer = RememberedCommand.Answer.rejected(field: "id", reason: "é\0", isOfState: true)
      try fixture.store.apply([
        .inbox(.answered(rows[0].position, answer)),
        .inbox(.answered(rows[1].position, .batch(BatchCounts(matched: 5, changed: 4)))),
      ])
      try fixture.store.countTries(of: [], passedOver: [rows[2].position])
      try fixture.reopen()
      let all = try fixture.store.takeInbox(after: nil, limit: 9)
      try expectEqual(all.rows.map(\.answer), [answer, .batch(BatchCounts(matched: 5, changed: 4)), nil], "answers")
      try expectEqual(all.rows.map(\.tries), [2, 1, 0], "tries")
      try expectEqual(all.isLast, true, "the last")
      try fixture.store.apply([.inbox(.remove(rows[0].position)), .inbox(.remove(rows[2].position))])
      try expectEqual(try fixture.store.takeInbox(after: nil, limit: 9).rows.map(\.raw.number), [2], "left")
    },
    StoreCheck("reapplied schedules are stored as long as their batch") { fixture in
      let ids = ["\u{e9}", "e\u{301}"].map { ScheduleID(stored: Array($0.utf8)) }
      try fixture.store.apply([
        .inbox(.receive([arrival(1, 1)], batch: 1)), .inbox(.complete(batch: 1)), .inbox(.reapply(ids[0], through: 1)),
        .inbox(.reapply(ids[1], through: 1)),
      ])
      try fixture.reopen()
      let page = try fixture.store.takeInbox(after: nil, limit: 9)
      try expectEqual(page.reapplied, [ids[0]: 1, ids[1]: 1], "applied again")
      try fixture.store.apply([
        .inbox(.remove(page.rows[0].position)), .inbox(.receive([arrival(2, 1)], batch: 2)),
        .inbox(.complete(batch: 2)),
      ])
      try expectEqual(try fixture.store.takeInbox(after: nil, limit: 9).reapplied, [:], "applied again")
    },
  ]
}
