import Scheduling

/// The inbox of a `MemoryStore`.
struct MemoryInbox {
  private(set) var lastComplete: Int64 = 0
  private var rows: [InboxRow] = []
  private var reapplied: [ScheduleID: Int64] = [:]
  private var lastSequence: Int64 = 0

  mutating func apply(_ change: InboxChange) {
    switch change {
    case .receive(let arrivals, let batch):
      for arrival in arrivals {
        lastSequence += 1
        let position = InboxPosition(batch: batch, deliveries: arrival.deliveries, sequence: lastSequence)
        rows.append(InboxRow(position: position, raw: arrival.raw, tries: 0))
      }
    case .complete(let batch):
      lastComplete = batch
      rows.sort { $0.position < $1.position }
      let first = rows.first?.position.batch ?? batch
      reapplied = reapplied.filter { $0.value >= first }
    case .discardIncomplete: rows.removeAll { $0.position.batch > lastComplete }
    case .answered(let position, let answer): update(position) { $0.answer = answer }
    case .reapply(let id, let batch): reapplied[id] = max(batch, reapplied[id] ?? batch)
    case .remove(let position): rows.removeAll { $0.position == position }
    }
  }

  mutating func take(after position: InboxPosition?, limit: Int) -> InboxPage {
    var page = InboxPage(reapplied: reapplied)
    var bytes = 0
    for index in rows.indices where isNext(rows[index], after: position) {
      let row = rows[index]
      let wasTried = row.tries > 0 && row.answer == nil
      guard page.rows.count < limit, bytes < InboxPage.maximumBytes, page.rows.isEmpty || !wasTried else {
        page.isLast = false
        break
      }
      page.rows.append(row)
      bytes += row.raw.body.count
      if row.answer == nil { rows[index].tries += 1 }
      if wasTried {
        page.isLast = !rows[(index + 1)...].contains { isNext($0, after: row.position) }
        break
      }
    }
    return page
  }

  mutating func countTries(of positions: [InboxPosition], passedOver: [InboxPosition]) {
    for position in positions { update(position) { $0.tries += 1 } }
    for position in passedOver { update(position) { $0.tries = max(0, $0.tries - 1) } }
  }

  private func isNext(_ row: InboxRow, after position: InboxPosition?) -> Bool {
    row.position.batch <= lastComplete && position.map { row.position > $0 } ?? true
  }

  private mutating func update(_ position: InboxPosition, _ body: (inout InboxRow) -> Void) {
    guard let index = rows.firstIndex(where: { $0.position == position }) else { return }
    body(&rows[index])
  }
}
