import Scheduling

/// The batches of a `MemoryStore`.
struct MemoryBatches {
  private var batches: [Int64: Batch] = [:]
  private var answers: [BatchMember: RememberedCommand.Answer?] = [:]
  private var members = SortedArray<BatchMember>()

  mutating func apply(_ change: BatchChange) {
    switch change {
    case .begin(let batch): batches[batch.number] = batch
    case .add(let ids, let batch): for id in ids { insert(BatchMember(batch: batch, id: id)) }
    case .complete(let number): batches[number]?.isComplete = true
    case .decided(let member, let answer, let isChanged):
      if answers[member] != nil { answers[member] = .some(answer) }
      if isChanged, batches[member.batch]?.isRepeat == false { batches[member.batch]?.counts.changed += 1 }
    case .remove(let member):
      answers[member] = nil
      members.remove(member)
    case .end(let number): batches[number] = nil
    }
  }

  private mutating func insert(_ member: BatchMember) {
    answers[member] = .some(nil)
    members.insert(member)
  }

  func page(after member: BatchMember?, limit: Int) -> BatchPage {
    let rest = members.elements(after: member)
    let rows = rest.prefix(limit).map { BatchMemberRow(member: $0, answer: answers[$0] ?? nil) }
    let all = member == nil ? batches.values.sorted { $0.number < $1.number } : []
    return BatchPage(batches: all, rows: rows, isLast: rows.count == rest.count)
  }
}
