import Recurrence
import Scheduling

extension StoreConformance {
  private static func batch(
    _ number: Int64, _ selector: BatchCommand.Selector, _ action: BatchCommand.Action, isRepeat: Bool = false
  ) -> Batch {
    Batch(
      number: number, key: CommandKey(high: .max, low: UInt64(number)),
      command: BatchCommand(selector: selector, action: action, maximum: 100_000),
      messageID: number == 1 ? nil : [0, 255], counts: BatchCounts(matched: 5, changed: isRepeat ? 3 : 0),
      isRepeat: isRepeat)
  }

  private static func ids(_ names: String...) -> [ScheduleID] { names.map { ScheduleID(stored: Array($0.utf8)) } }

  static let batches = [
    StoreCheck("batches are stored as they are") { fixture in
      let batches = [
        batch(1, .group(Array("é\0".utf8)), .stop(reason: "")),
        batch(2, .prefix([0xff, 0]), .pause(end: .until(Instant(milliseconds: -1)), reason: "é\0", time: nil)),
        batch(3, .group([1]), .pause(end: nil, reason: nil, time: nil), isRepeat: true),
        batch(4, .prefix([1]), .resume(misfirePolicy: .fireAll, reason: "r")),
        batch(.max, .prefix([2]), .resume(misfirePolicy: nil, reason: nil)),
      ]
      try fixture.store.apply(batches.map { .batch(.begin($0)) } + [.batch(.complete(2))])
      try fixture.reopen()
      var expected = batches
      expected[1].isComplete = true
      try expectEqual(try fixture.store.batches(after: nil, limit: 9), BatchPage(batches: expected), "batches")
      try fixture.store.apply(batches.map { .batch(.end($0.number)) })
      try expectEqual(try fixture.store.batches(after: nil, limit: 9), BatchPage(), "batches")
    },
    StoreCheck("members are returned in pages, in order of batch and id") { fixture in
      try fixture.store.apply([
        .batch(.begin(batch(1, .group([1]), .stop(reason: "r")))), .batch(.add(ids("a", "b"), batch: 1)),
        .batch(.begin(batch(2, .group([1]), .stop(reason: "r")))),
        .batch(.add(ids("\u{e9}", "e\u{301}", "a"), batch: 2)),
        .batch(.add(ids("c"), batch: 1)),
      ])
      try fixture.reopen()
      var members: [BatchMember] = []
      var pages = 0
      while true {
        let page = try fixture.store.batches(after: members.last, limit: 2)
        try expectEqual(page.batches.count, members.isEmpty ? 2 : 0, "batches of a page")
        members += page.rows.map(\.member)
        pages += 1
        if page.isLast { break }
      }
      try expectEqual(pages, 3, "pages")
      let expected =
        ids("a", "b", "c").map { BatchMember(batch: 1, id: $0) }
        + ids("a", "e\u{301}", "\u{e9}").map { BatchMember(batch: 2, id: $0) }
      try expectEqual(members, expected, "members")
    },
    StoreCheck("what members were answered is stored and counted") { fixture in
      let members = ids("a", "b", "c", "d").map { BatchMember(batch: 7, id: $0) }
      let rejected = RememberedCommand.Answer.rejected(field: "id", reason: "é\0", isOfState: true)
      try fixture.store.apply([
        .batch(.begin(batch(7, .group([1]), .stop(reason: "r")))), .batch(.add(members.map(\.id), batch: 7)),
        .batch(.complete(7)), .batch(.decided(members[0], .stopped(generation: 5), isChanged: true)),
        .batch(.decided(members[1], rejected, isChanged: false)),
        .batch(.decided(members[2], .controlled(generation: 6), isChanged: true)),
      ])
      try fixture.reopen()
      let page = try fixture.store.batches(after: nil, limit: 9)
      try expectEqual(page.batches.map(\.counts), [BatchCounts(matched: 5, changed: 2)], "counts")
      let answers: [RememberedCommand.Answer?] = [.stopped(generation: 5), rejected, .controlled(generation: 6), nil]
      try expectEqual(page.rows.map(\.answer), answers, "answers")
      try fixture.store.apply([.batch(.remove(members[0])), .batch(.remove(members[3]))])
      try fixture.reopen()
      try expectEqual(try fixture.store.batches(after: nil, limit: 9).rows.map(\.member), Array(members[1...2]), "left")
      // Of a member that is gone.
      try fixture.store.apply([.batch(.decided(members[0], .stopped(generation: 5), isChanged: false))])
      try expectEqual(try fixture.store.batches(after: nil, limit: 9).rows.count, 2, "left")
    },
    StoreCheck("a batch that is applied again keeps its counts") { fixture in
      let member = BatchMember(batch: 3, id: ScheduleID(stored: [1]))
      try fixture.store.apply([
        .batch(.begin(batch(3, .group([1]), .stop(reason: "r"), isRepeat: true))), .batch(.add([member.id], batch: 3)),
        .batch(.complete(3)), .batch(.decided(member, .stopped(generation: 5), isChanged: true)),
      ])
      let counts = try fixture.store.batches(after: nil, limit: 9).batches.map(\.counts)
      try expectEqual(counts, [BatchCounts(matched: 5, changed: 3)], "counts")
    },
  ]
}
