/// Many Starts, sent as fast as the bare publisher can: from the first publish until every Started is received. By then it
/// is confirmed, and the Start acknowledged.
struct StartsRow {
  let rig: Rig
  let count: Int

  func measure() throws -> Pace {
    let service = try ServiceUnderTest(rig, database: rig.database("starts"))
    try service.becomeReady()
    let reader = try Reader(rig, key: "Schedule Started", count: count)
    let before = try service.processorTime(beside: rig.broker)
    let publisher = try rig.startPublishing(BenchSchedules.start, count: count)
    let receipts = try reader.all(atMost: 60 + Double(count) / 200)
    let used = try service.processorTime(beside: rig.broker) - before
    let publishing = try rig.publishing(publisher, count: count)
    try service.stop()
    guard Set(receipts.map(\.id)).count == count else { throw BenchError("a Start was answered twice") }
    guard try rig.commandsLeft() == 0 else { throw BenchError("answered commands are still in their queue") }
    return Pace(
      count, from: publishing.began, to: max(publishing.confirmed, receipts.last?.received ?? 0), using: used)
  }
}
