import CoreMetrics
import Synchronization

/// How often values fell into each bucket, and their sum.
///
/// To record is two atomic additions. A reader on another thread may see one without the other: its sum may lack a value
/// that its count has, never more than are being recorded at that moment.
final class HistogramSeries: Series, RecorderHandler, TimerHandler {
  /// `Atomic` cannot stand in an array.
  private final class Cell: Sendable {
    let count = Atomic<Int64>(0)
  }

  private let bounds: [Double]
  /// One for each bound, and one for what is above the last.
  private let cells: [Cell]
  private let sum = AtomicDouble()

  init(bounds: [Double]) {
    self.bounds = Set(bounds.filter(\.isFinite)).sorted()
    cells = (0...self.bounds.count).map { _ in Cell() }
  }

  func record(_ value: Int64) { record(Double(value)) }

  func record(_ value: Double) {
    // One value that is no number would make a sum of none for ever.
    guard value.isFinite else { return }
    cells[bucket(of: value)].count.wrappingAdd(1, ordering: .relaxed)
    sum.add(value)
  }

  /// Prometheus counts in seconds.
  func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

  func write(_ name: String, _ labels: [Label], to format: inout TextFormat) {
    var count: Int64 = 0
    for (index, cell) in cells.enumerated() {
      count += cell.count.load(ordering: .relaxed)
      let bound = index < bounds.count ? bounds[index] : .infinity
      format.sample(name + "_bucket", labels + [Label(name: "le", value: TextFormat.number(bound))], count)
    }
    format.sample(name + "_sum", labels, sum.get())
    format.sample(name + "_count", labels, count)
  }

  /// The first bucket whose bound is not below the value.
  private func bucket(of value: Double) -> Int {
    var low = 0
    var high = bounds.count
    while low < high {
      let middle = (low + high) / 2
      if bounds[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
