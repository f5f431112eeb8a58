import Synchronization

/// A backend of swift-metrics that exports in the Prometheus text format.
///
/// Creating a metric takes a lock, so create it once. Recording takes no lock and a few nanoseconds, on any thread.
/// The first metric with a name determines its kind. Metrics with the same name and another kind work but are not exported,
/// because metrics APIs cannot throw.
package final class PrometheusRegistry: Sendable {
  private struct Family {
    let kind: MetricKind
    var series: [[Label]: any Series] = [:]
  }

  private let descriptions: [String: MetricDescription]
  private let families = Mutex<[String: Family]>([:])

  /// - Parameter descriptions: Help texts and buckets. The help text of other metrics is their name.
  package init(_ descriptions: [MetricDescription] = []) {
    self.descriptions = Dictionary(
      descriptions.map { (MetricName.metric($0.name), $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The media type of `text`.
  package static let contentType = TextFormat.contentType

  /// All metrics, in order of their names and labels.
  package var text: String {
    // Writing the series may take long, so the lock protects the list only.
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

  /// A gauge that is read on export; nil omits it. `read` is called on any thread.
  package func observeGauge(
    _ name: String, labels: [(String, String)] = [], _ read: @escaping @Sendable () -> Double?
  ) {
    _ = series(.gauge, name, labels) { _ in ObservedSeries(read) }
  }

  /// A counter that is read on export, such as one of the kernel.
  package func observeCounter(
    _ name: String, labels: [(String, String)] = [], _ read: @escaping @Sendable () -> Double?
  ) {
    _ = series(.counter, name, labels) { _ in ObservedSeries(read) }
  }

  /// The series with this name and these labels, created if necessary.
  func series<Value: Series>(
    _ kind: MetricKind, _ name: String, _ dimensions: [(String, String)], make: (MetricDescription?) -> Value
  ) -> Value {
    var name = MetricName.metric(name)
    // Required for counters by `promtool check metrics`.
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

  /// Removes a series.
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
