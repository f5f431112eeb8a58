import Glibc

/// All latencies, in milliseconds.
struct Latencies {
  private let sorted: [Double]

  init(_ receipts: some Sequence<Receipt>) { sorted = receipts.map(\.latencyMilliseconds).sorted() }

  init(_ parts: [Latencies]) { sorted = parts.flatMap(\.sorted).sorted() }

  var count: Int { sorted.count }

  /// The value that this percentage does not exceed; 0 if there is none.
  func percentile(_ percent: Double) -> Double {
    guard !sorted.isEmpty else { return 0 }
    let rank = Int((percent / 100 * Double(sorted.count)).rounded(.up))
    return sorted[min(max(rank, 1), sorted.count) - 1]
  }

  /// Percentiles and their values, ten to each further nine, as far as there are enough of them.
  var curve: [[Double]] {
    let steps = Int(log10(Double(max(count, 1))) * 10)
    return (0...steps).map { step in
      let percent = 100 * (1 - pow(10, -Double(step) / 10))
      return [percent, percentile(percent)]
    }
  }
}
