import CoreMetrics
import PrometheusMetrics
import Testing

/// Recorded values and the exported text.
@Suite("Prometheus text")
struct PrometheusTextTests {
  /// A way to record, and the whole exported text.
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var descriptions: [MetricDescription] = []
    var count: @Sendable (PrometheusRegistry) -> Void
    var text: String
  }

  static let cases = [
    Case(testDescription: "nothing", count: { _ in }, text: ""),
    Case(
      testDescription: "a counter that is there is written before it counts",
      descriptions: [MetricDescription("ticks_total", help: "Ticks published.")],
      count: { _ = Counter(label: "ticks_total", factory: $0) },
      text: "# HELP ticks_total Ticks published.\n# TYPE ticks_total counter\nticks_total 0\n"),
    Case(
      testDescription: "what grows: by one, by several, never down; _total is added",
      count: { registry in
        let counter = Counter(label: "ticks", factory: registry)
        counter.increment()
        counter.increment(by: 41)
        counter.increment(by: -7)
      }, text: "# HELP ticks_total ticks_total\n# TYPE ticks_total counter\nticks_total 42\n"),
    Case(
      testDescription: "two handles of the same labels count together, whatever their order",
      count: { registry in
        Counter(label: "c_total", dimensions: [("b", "2"), ("a", "1")], factory: registry).increment()
        Counter(label: "c_total", dimensions: [("a", "1"), ("b", "2")], factory: registry).increment()
        Counter(label: "c_total", dimensions: [("a", "0")], factory: registry).increment(by: 5)
      },
      text: "# HELP c_total c_total\n# TYPE c_total counter\nc_total{a=\"0\"} 5\nc_total{a=\"1\",b=\"2\"} 2\n"),
    Case(
      testDescription: "a floating-point counter ignores NaN and infinity",
      count: { registry in
        let counter = FloatingPointCounter(label: "seconds_total", factory: registry)
        for step in [0.25, 0.5, -1, .nan, .infinity] { counter.increment(by: step) }
      }, text: "# HELP seconds_total seconds_total\n# TYPE seconds_total counter\nseconds_total 0.75\n"),
    Case(
      testDescription: "gauge and meter",
      count: { registry in
        Gauge(label: "a", factory: registry).record(7)
        let meter = Meter(label: "b", factory: registry)
        meter.set(3)
        meter.increment(by: 0.5)
        meter.decrement(by: 4)
      }, text: "# HELP a a\n# TYPE a gauge\na 7\n# HELP b b\n# TYPE b gauge\nb -0.5\n"),
    Case(
      testDescription: "a histogram: a bound belongs to its bucket, buckets are cumulative, NaN is ignored",
      descriptions: [MetricDescription("size", help: "Size.", buckets: [10, 1, 10, .infinity])],
      count: { registry in
        let recorder = Recorder(label: "size", dimensions: [("x", "y")], factory: registry)
        for value in [0.5, 1, 1.5, 10, 11, -3, .nan] { recorder.record(value) }
      },
      text: """
        # HELP size Size.
        # TYPE size histogram
        size_bucket{x="y",le="1"} 3
        size_bucket{x="y",le="10"} 5
        size_bucket{x="y",le="+Inf"} 6
        size_sum{x="y"} 21
        size_count{x="y"} 6

        """),
    Case(
      testDescription: "a timer counts in seconds",
      descriptions: [MetricDescription("t_seconds", help: "T.", buckets: [0.001])],
      count: { registry in
        let timer = Timer(label: "t_seconds", factory: registry)
        timer.recordMilliseconds(1)
        timer.recordSeconds(2)
      },
      text: """
        # HELP t_seconds T.
        # TYPE t_seconds histogram
        t_seconds_bucket{le="0.001"} 1
        t_seconds_bucket{le="+Inf"} 2
        t_seconds_sum 2.001
        t_seconds_count 2

        """),
    Case(
      testDescription: "an observed value, and a missing one",
      count: { registry in
        registry.observeGauge("g") { 2 }
        registry.observeGauge("h", labels: [("a", "b")]) { nil }
        registry.observeCounter("k_total") { 1.5 }
      },
      text: """
        # HELP g g
        # TYPE g gauge
        g 2
        # HELP h h
        # TYPE h gauge
        # HELP k_total k_total
        # TYPE k_total counter
        k_total 1.5

        """),
    Case(
      testDescription: "a name of another kind stays with the first",
      count: { registry in
        Gauge(label: "x_total", factory: registry).record(1)
        Counter(label: "x", factory: registry).increment(by: 9)
      }, text: "# HELP x_total x_total\n# TYPE x_total gauge\nx_total 1\n"),
    Case(
      testDescription: "a destroyed metric is removed",
      count: { registry in
        let counter = Counter(label: "x", factory: registry)
        counter.destroy()
        Gauge(label: "y", factory: registry).record(1)
      }, text: "# HELP y y\n# TYPE y gauge\ny 1\n"),
  ]

  @Test("is exported exactly", arguments: cases)
  func text(example: Case) {
    let registry = PrometheusRegistry(example.descriptions)
    example.count(registry)
    #expect(registry.text == example.text)
    #expect(registry.text == registry.text, "written twice")
  }

  @Test(
    "names are cleaned",
    arguments: [
      ("http.requests-total", "http_requests_total"), ("1st", "_1st"), ("", "_"), ("a:b", "a:b"), ("é", "__"),
      ("a b\n# TYPE c counter", "a_b___TYPE_c_counter"),
    ])
  func metricName(name: String, cleaned: String) {
    let registry = PrometheusRegistry()
    Gauge(label: name, factory: registry).record(1)
    #expect(registry.text.hasSuffix("\n\(cleaned) 1\n"))
  }

  @Test(
    "labels are cleaned and escaped",
    arguments: [
      ([("a.b", "x")], #"{a_b="x"}"#), ([("a:b", "x")], #"{a_b="x"}"#), ([("__name__", "x")], #"{_name__="x"}"#),
      ([("le", "x")], #"{exported_le="x"}"#), ([("9", "")], #"{_9=""}"#),
      ([("a", "1"), ("a", "2")], #"{a="1"}"#),
      ([("a", "quote \" back \\ line\nend")], #"{a="quote \" back \\ line\nend"}"#),
      ([("a", "\r\n")], "{a=\"\r\\n\"}"), ([("a", "é\u{202e}<script>")], "{a=\"é\u{202e}<script>\"}"),
    ] as [([(String, String)], String)])
  func labels(dimensions: [(String, String)], written: String) {
    let registry = PrometheusRegistry()
    Gauge(label: "g", dimensions: dimensions, factory: registry).record(1)
    #expect(registry.text.hasSuffix("\ng\(written) 1\n"))
  }

  @Test(
    "numbers are as Go reads them",
    arguments: [
      (0.0, "0"), (-0.0, "-0"), (1.5, "1.5"), (1e15, "1000000000000000"), (1e300, "1e+300"), (.infinity, "+Inf"),
      (-.infinity, "-Inf"), (.nan, "NaN"), (1e-7, "1e-07"),
    ])
  func numbers(value: Double, written: String) {
    let registry = PrometheusRegistry()
    registry.observeGauge("g") { value }
    #expect(registry.text.hasSuffix("\ng \(written)\n"))
  }

  @Test("no value recorded by several threads is lost")
  func threads() async {
    let registry = PrometheusRegistry()
    await withTaskGroup(of: Void.self) { group in
      for _ in 1...8 {
        group.addTask {
          let counter = Counter(label: "c", factory: registry)
          let sum = FloatingPointCounter(label: "f", factory: registry)
          let recorder = Recorder(label: "r", factory: registry)
          for _ in 1...1000 {
            counter.increment()
            sum.increment(by: 0.5)
            recorder.record(2)
          }
        }
      }
    }
    let text = registry.text
    for line in ["c_total 8000", "f_total 4000", "r_sum 16000", "r_count 8000"] {
      #expect(text.contains("\n\(line)\n"))
    }
  }

  @Test("a process reports its memory, CPU time and files")
  func process() {
    let registry = PrometheusRegistry(ProcessMetrics.descriptions)
    ProcessMetrics.register(in: registry, startSeconds: 5)
    let text = registry.text
    for description in ProcessMetrics.descriptions {
      #expect(text.contains("# HELP \(description.name) \(description.help)\n"))
      let value = text.split(separator: "\n").first { $0.hasPrefix(description.name + " ") }?.split(separator: " ").last
      #expect(value.flatMap { Double($0) }.map { $0 > 0 } == true, "\(description.name)")
    }
  }
}
