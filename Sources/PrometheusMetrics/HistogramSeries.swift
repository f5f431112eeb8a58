import Algorithms
import CoreMetrics
import Synchronization

/// A histogram: the count of values in each bucket, and their sum.
///
/// Recording takes two atomic additions. A concurrent reader may see one without the other, so the sum may lack values that are
/// being recorded at that moment.
final class HistogramSeries: Series, RecorderHandler, TimerHandler {
  /// `Atomic` is not copyable, so it cannot be an array's element.
  private final class Cell: Sendable {
    let count = Atomic<Int64>(0)
  }

  private let bounds: [Double]
  /// One per bound, and one for values above the last bound.
  private let cells: [Cell]
  private let sum = AtomicDouble()

  init(bounds: [Double]) {
    self.bounds = Set(bounds.filter(\.isFinite)).sorted()
    cells = (0...self.bounds.count).map { _ in Cell() }
  }

  func record(_ value: Int64) { record(Double(value)) }

  func record(_ value: Double) {
    // A single NaN would make the sum NaN permanently.
    guard value.isFinite else { return }
    cells[bucket(of: value)].count.wrappingAdd(1, ordering: .relaxed)
    sum.add(value)
  }

  /// Prometheus uses seconds.
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

  /// The first bucket with a bound at or above the value.
  private func bucket(of value: Double) -> Int { bounds.partitioningIndex { $0 >= value } }
}
