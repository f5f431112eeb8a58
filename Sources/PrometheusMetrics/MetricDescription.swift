/// What there is to say about a metric before its first value: the line of help, and the buckets of a histogram.
package struct MetricDescription: Sendable {
  /// As in the code that counts; cleaned as labels of swift-metrics are.
  package var name: String
  /// One sentence for the person who picks it from a list.
  package var help: String
  /// Upper bounds of a histogram's buckets, ascending, in the metric's unit (seconds for timers); the one without a bound
  /// comes by itself. Nil takes `defaultBuckets`.
  package var buckets: [Double]?

  /// From 1 ms to a minute, in seconds: for what is usually quick.
  package static let defaultBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

  package init(_ name: String, help: String, buckets: [Double]? = nil) {
    self.name = name
    self.help = help
    self.buckets = buckets
  }
}

/// What Prometheus calls the type of a metric.
enum MetricKind: String, Sendable {
  case counter, gauge, histogram
}
