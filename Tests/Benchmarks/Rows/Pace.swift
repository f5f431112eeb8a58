/// A rate, and the cost per message.
struct Pace {
  var perSecond: Double
  /// Processor time of the publishing program and of the broker, in microseconds.
  var publisher: Double
  var broker: Double

  /// From one instant to another, in nanoseconds; processor time in seconds.
  init(_ count: Int, from begin: Int64, to end: Int64, using used: ProcessorTime) {
    perSecond = Double(count) / (Double(end - begin) / 1e9)
    publisher = used.publisher / Double(count) * 1e6
    broker = used.broker / Double(count) * 1e6
  }
}

/// Seconds of processor time.
struct ProcessorTime {
  var publisher: Double
  var broker: Double

  static func - (left: Self, right: Self) -> Self {
    Self(publisher: left.publisher - right.publisher, broker: left.broker - right.broker)
  }
}

extension ServiceUnderTest {
  /// The processor time that it and the broker have used so far.
  func processorTime(beside broker: ProcessFigures) throws -> ProcessorTime {
    ProcessorTime(publisher: try figures.processorSeconds(), broker: try broker.processorSeconds())
  }
}

/// The bare publisher: from its first publish until the last message is confirmed and received.
struct BarePace {
  let rig: Rig
  let message: BareMessage
  let count: Int

  func measure() throws -> Pace {
    let reader = try Reader(rig, key: message.key, count: count)
    let before = try rig.broker.processorSeconds()
    let publishing = try rig.publishing(rig.startPublishing(message, count: count), count: count)
    let receipts = try reader.all(atMost: 60)
    let used = ProcessorTime(
      publisher: Double(publishing.processor) / 1e9, broker: try rig.broker.processorSeconds() - before)
    return Pace(
      count, from: publishing.began, to: max(publishing.confirmed, receipts.last?.received ?? 0), using: used)
  }

  /// Measures something several times with the bare publisher before and after it, and compares it with the mean of these two,
  /// because others may use the machine, too. Each begins with a new log of the broker.
  func compare(runs: Int, with theirs: () throws -> Pace) throws -> (ours: [Pace], bare: [Pace]) {
    func fresh(_ measure: () throws -> Pace) throws -> Pace {
      try rig.rollLog()
      return try measure()
    }
    _ = try measure()  // warms the broker
    var bare = [try fresh(measure)]
    let ours = try (0..<runs).map { _ in
      let pace = try fresh(theirs)
      bare.append(try fresh(measure))
      return pace
    }
    return (ours, bare)
  }
}
