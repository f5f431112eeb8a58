/// What is redelivered, on its way into the inbox: gathered until all of it is here, for only then is its order known.
///
/// Filed in the inbox when there is much of it, and else at the end; acknowledged only when the batch is complete there.
/// What is lost before that the broker delivers again.
struct Gathering {
  /// The batch that is being gathered, or will be next.
  private var batch: Int64
  private var arrivals: [InboxArrival] = []
  private var bytes = 0
  /// The deliveries of this batch, those too that are filed already.
  private var tags: [UInt64] = []
  /// How many of them are filed, and how many were when it was last asked.
  private var filedCount = 0
  private var releasedCount = 0
  /// Batches of which the completion is not stored yet: what is to be acknowledged then, unless the channel ends before, and
  /// how many commands they have.
  private var completing: [Int64: (tags: [UInt64], count: Int)] = [:]
  /// Whether the inbox may hold parts of a batch that will never be complete.
  private var mayLeaveParts = true

  init(after lastBatch: Int64) { batch = lastBatch + 1 }

  /// Whether there may be more of what is being gathered.
  var isOpen: Bool { !tags.isEmpty }

  /// Nothing is being gathered, and nothing gathered is without a place in the inbox.
  var isEmpty: Bool { tags.isEmpty && completing.isEmpty }

  /// Takes note of a delivery. Returns what is to be filed at once, for it takes up too much memory.
  mutating func add(
    _ raw: RawDelivery, deliveries: Int64, tag: UInt64, maximumBytes: Int
  ) -> [InboxChange] {
    arrivals.append(InboxArrival(raw: raw, deliveries: deliveries))
    bytes += raw.byteCount
    tags.append(tag)
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

  /// The deliveries that were filed since it was last asked: they are in memory no more.
  mutating func takeReleased() -> [UInt64] {
    defer { releasedCount = filedCount }
    return Array(tags[releasedCount..<filedCount])
  }

  /// The deliveries that are not filed yet.
  var tagsInMemory: ArraySlice<UInt64> { tags[filedCount...] }

  /// All that is redelivered is here.
  mutating func end() -> [InboxChange] {
    guard !tags.isEmpty else { return [] }
    let changes = file() + [.complete(batch: batch)]
    completing[batch] = (tags, tags.count)
    (tags, filedCount, releasedCount) = ([], 0, 0)
    batch += 1
    return changes
  }

  /// A batch is complete in the inbox. Returns the deliveries to acknowledge, none if their channel is gone, and how many
  /// commands there are.
  mutating func completed(_ batch: Int64) -> (tags: [UInt64], count: Int) {
    completing.removeValue(forKey: batch) ?? ([], 0)
  }

  /// The channel is gone, and what was being gathered with it.
  mutating func abandon() {
    if !tags.isEmpty { mayLeaveParts = true }
    (arrivals, bytes, tags, filedCount, releasedCount) = ([], 0, [], 0, 0)
    for batch in completing.keys { completing[batch]?.tags = [] }
  }
}
