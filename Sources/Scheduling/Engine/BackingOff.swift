import HeapModule

/// The nacked publications that wait before a retry, earliest retry first.
struct BackingOff {
  private struct Entry: Comparable {
    let until: Int64
    let order: UInt64
    let item: Publications.Item

    static func < (left: Self, right: Self) -> Bool { (left.until, left.order) < (right.until, right.order) }
    static func == (left: Self, right: Self) -> Bool { (left.until, left.order) == (right.until, right.order) }
  }

  private var ticks = Heap<Entry>()
  private var others = Heap<Entry>()
  /// Breaks ties: publications that may leave at the same time keep the order of their nacks.
  private var lastOrder: UInt64 = 0

  var isEmpty: Bool { ticks.isEmpty && others.isEmpty }
  /// When the first retry is due, on the monotonic clock; nil without any.
  var deadline: Int64? { [ticks.min?.until, others.min?.until].lazy.compactMap(\.self).min() }
  /// When the first retry of an outcome or an owed event is due.
  var deadlineOfOthers: Int64? { others.min?.until }

  /// How long a publication backs off after this many failures: 1, 2, 4 … 60 seconds.
  static func milliseconds(afterFailures failures: Int) -> Int64 { min(Int64(1) << min(failures, 6), 60) * 1000 }

  mutating func insert(_ item: Publications.Item, until uptime: Int64) {
    lastOrder += 1
    let entry = Entry(until: uptime, order: lastOrder, item: item)
    if item.subject.isTick { ticks.insert(entry) } else { others.insert(entry) }
  }

  /// The next publication whose retry is due.
  mutating func popFirst(at now: Now) -> Publications.Item? {
    guard let tick = ticks.min else { return popFirstOfOthers(at: now) }
    if let other = others.min, other < tick { return popFirstOfOthers(at: now) }
    guard tick.until <= now.uptime else { return nil }
    ticks.removeMin()
    return tick.item
  }

  /// Removes the ticks of a schedule. After a step of the clock, one of an earlier slot may be among them.
  mutating func removeTicks(of generation: Int64) -> [Publications.Item] {
    let isMeant = { (entry: Entry) in entry.item.subject == .tick(generation: generation) }
    let found = ticks.unordered.filter(isMeant)
    if !found.isEmpty { ticks = Heap(ticks.unordered.filter { !isMeant($0) }) }
    return found.map(\.item)
  }

  /// The next outcome or owed event whose retry is due.
  mutating func popFirstOfOthers(at now: Now) -> Publications.Item? {
    guard let first = others.min, first.until <= now.uptime else { return nil }
    others.removeMin()
    return first.item
  }
}
