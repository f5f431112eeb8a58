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

  private var entries = Heap<Entry>()
  /// Breaks ties: publications that may leave at the same time keep the order of their nacks.
  private var lastOrder: UInt64 = 0

  var isEmpty: Bool { entries.isEmpty }
  /// When the first retry is due, on the monotonic clock; nil without any.
  var deadline: Int64? { entries.min?.until }

  /// How long a publication backs off after this many failures: 1, 2, 4 … 60 seconds.
  static func milliseconds(afterFailures failures: Int) -> Int64 { min(Int64(1) << min(failures, 6), 60) * 1000 }

  mutating func insert(_ item: Publications.Item, until uptime: Int64) {
    lastOrder += 1
    entries.insert(Entry(until: uptime, order: lastOrder, item: item))
  }

  /// The next publication whose retry is due.
  mutating func popFirst(at now: Now) -> Publications.Item? {
    guard let first = entries.min, first.until <= now.uptime else { return nil }
    entries.removeMin()
    return first.item
  }
}
