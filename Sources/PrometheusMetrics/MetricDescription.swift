/// The help text of a metric, and the buckets of a histogram.
package struct MetricDescription: Sendable {
  /// The label of the metric in swift-metrics.
  package var name: String
  /// One sentence.
  package var help: String
  /// Upper bounds of a histogram's buckets, ascending, in the metric's unit (seconds for timers). The infinite one is added
  /// automatically. Nil for `defaultBuckets`.
  package var buckets: [Double]?

  /// From 1 ms to a minute, in seconds: for short durations.
  package static let defaultBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

  package init(_ name: String, help: String, buckets: [Double]? = nil) {
    self.name = name
    self.help = help
    self.buckets = buckets
  }
}

/// The type of a metric in Prometheus.
enum MetricKind: String, Sendable {
  case counter, gauge, histogram
}
