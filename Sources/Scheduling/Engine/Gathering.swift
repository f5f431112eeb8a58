/// Redelivered commands on their way into the inbox. They are gathered until all have arrived, since only then is their
/// order known.
///
/// They are written to the inbox when they take up much memory, and at the end. They are acknowledged only when the
/// batch is complete there; until then the broker redelivers them after a failure.
struct Gathering {
  /// The batch that is being gathered, or is next.
  private var batch: Int64
  private var arrivals: [InboxArrival] = []
  private var bytes = 0
  /// The deliveries of this batch, including those written to the inbox.
  private var tags: [UInt64] = []
  /// How many of `tags` are written to the inbox.
  private var filedCount = 0
  /// How many of `tags` were returned by `takeReleased`.
  private var releasedCount = 0
  /// Batches whose completion is not stored yet, with the deliveries to acknowledge then (none if their channel has
  /// ended) and the number of commands.
  private var completing: [Int64: (tags: [UInt64], count: Int)] = [:]
  /// Whether the inbox may hold parts of a batch that will never be complete.
  private var mayLeaveParts = true

  init(after lastBatch: Int64) { batch = lastBatch + 1 }

  /// Whether more redelivered commands may follow.
  var isOpen: Bool { !tags.isEmpty }

  /// Whether everything gathered is complete in the inbox.
  var isEmpty: Bool { tags.isEmpty && completing.isEmpty }

  /// Adds a delivery. Returns the changes to store now, if the gathered commands take up too much memory.
  mutating func add(
    _ raw: RawDelivery, deliveries: Int64, tag: UInt64, maximumBytes: Int
  ) -> [InboxChange] {
    assert(tags.last.map { $0 < tag } ?? true, "delivery tags ascend")
    arrivals.append(InboxArrival(raw: raw, deliveries: deliveries))
    bytes += raw.byteCount
    tags.append(tag)
    assert(arrivals.count == tags.count - filedCount, "what is not written yet is in memory")
    return bytes >= maximumBytes ? file() : []
  }

  private mutating func file() -> [InboxChange] {
    guard !arrivals.isEmpty else { return [] }
    defer { (arrivals, bytes, filedCount) = ([], 0, tags.count) }
    var changes: [InboxChange] = mayLeaveParts ? [.discardIncomplete] : []
    mayLeaveParts = false
    changes.append(.receive(arrivals, batch: batch))
    return changes
  }

  /// The deliveries that were written to the inbox since the last call: they are no longer in memory.
  mutating func takeReleased() -> [UInt64] {
    assert(releasedCount <= filedCount && filedCount <= tags.count, "deliveries are released once, in order")
    defer { releasedCount = filedCount }
    return Array(tags[releasedCount..<filedCount])
  }

  /// The deliveries that are not written to the inbox yet.
  var tagsInMemory: ArraySlice<UInt64> { tags[filedCount...] }

  /// Everything that is redelivered has arrived. Returns the changes that complete the batch.
  mutating func end() -> [InboxChange] {
    guard !tags.isEmpty else { return [] }
    let changes = file() + [.complete(batch: batch)]
    completing[batch] = (tags, tags.count)
    (tags, filedCount, releasedCount) = ([], 0, 0)
    batch += 1
    return changes
  }

  /// The completion of a batch is stored. Returns the deliveries to acknowledge, none if their channel is gone, and the
  /// number of commands.
  mutating func completed(_ batch: Int64) -> (tags: [UInt64], count: Int) {
    assert(completing[batch] != nil, "a batch is completed once")
    return completing.removeValue(forKey: batch) ?? ([], 0)
  }

  /// The channel is gone, and with it the batch that was being gathered.
  mutating func abandon() {
    if !tags.isEmpty { mayLeaveParts = true }
    (arrivals, bytes, tags, filedCount, releasedCount) = ([], 0, [], 0, 0)
    for batch in completing.keys { completing[batch]?.tags = [] }
  }
}
