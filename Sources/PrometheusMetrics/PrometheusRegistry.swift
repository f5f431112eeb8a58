import Synchronization

/// Keeps the metrics of this process and writes them as Prometheus reads them: a backend of swift-metrics.
///
/// Making a metric takes a lock; keep it. Counting with it then takes none and costs nanoseconds, on any thread.
/// A name belongs to the kind that took it first. Under another kind a metric of that name counts, but is not shown:
/// counting is no place for an error.
package final class PrometheusRegistry: Sendable {
  private struct Family {
    let kind: MetricKind
    var series: [[Label]: any Series] = [:]
  }

  private let descriptions: [String: MetricDescription]
  private let families = Mutex<[String: Family]>([:])

  /// - Parameter descriptions: Help and buckets of metrics to come; others get a help that repeats their name.
  package init(_ descriptions: [MetricDescription] = []) {
    self.descriptions = Dictionary(
      descriptions.map { (MetricName.metric($0.name), $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The media type of `text`.
  package static let contentType = TextFormat.contentType

  /// All metrics, in order of their names and labels.
  package var text: String {
    // What a series writes may take a while, so the lock is for the list only.
    let families = families.withLock { $0 }
    var format = TextFormat()
    for (name, family) in families.sorted(by: { $0.key < $1.key }) where !family.series.isEmpty {
      format.heading(name, family.kind, help: descriptions[name]?.help ?? name)
      for (labels, series) in family.series.sorted(by: { $0.key.precedes($1.key) }) {
        series.write(name, labels, to: &format)
      }
    }
    return format.text
  }

  /// A gauge that is read when it is written; nil leaves it out. `read` is called from any thread.
  package func observeGauge(
    _ name: String, labels: [(String, String)] = [], _ read: @escaping @Sendable () -> Double?
  ) {
    _ = series(.gauge, name, labels) { _ in ObservedSeries(read) }
  }

  /// A counter that is read when it is written, such as one that the kernel keeps.
  package func observeCounter(
    _ name: String, labels: [(String, String)] = [], _ read: @escaping @Sendable () -> Double?
  ) {
    _ = series(.counter, name, labels) { _ in ObservedSeries(read) }
  }

  /// The series of this name and these labels; made if there is none.
  func series<Value: Series>(
    _ kind: MetricKind, _ name: String, _ dimensions: [(String, String)], make: (MetricDescription?) -> Value
  ) -> Value {
    var name = MetricName.metric(name)
    // Prometheus's own checker wants it of counters.
    if kind == .counter, !name.hasSuffix("_total") { name += "_total" }
    let labels = MetricName.labels(dimensions)
    let description = descriptions[name]
    return families.withLock { families in
      var family = families[name] ?? Family(kind: kind)
      if family.kind == kind, let known = family.series[labels] as? Value { return known }
      let new = make(description)
      guard family.kind == kind, family.series[labels] == nil else { return new }
      family.series[labels] = new
      families[name] = family
      return new
    }
  }

  /// Forgets a series.
  func remove(_ series: AnyObject) {
    families.withLock { families in
      for (name, family) in families {
        for (labels, known) in family.series where known === series { families[name]?.series[labels] = nil }
      }
    }
  }
}

extension [Label] {
  fileprivate func precedes(_ other: [Label]) -> Bool {
    lexicographicallyPrecedes(other) { ($0.name, $0.value) < ($1.name, $1.value) }
  }
}
