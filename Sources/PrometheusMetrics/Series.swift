import CoreMetrics
import Synchronization

/// The values of one metric with one set of labels.
protocol Series: AnyObject, Sendable {
  func write(_ name: String, _ labels: [Label], to format: inout TextFormat)
}

/// An integer counter.
final class CounterSeries: Series, CounterHandler {
  private let value = Atomic<Int64>(0)

  func increment(by amount: Int64) {
    // Prometheus would treat a decrease as a restart.
    if amount > 0 { value.wrappingAdd(amount, ordering: .relaxed) }
  }

  func reset() { value.store(0, ordering: .relaxed) }

  func write(_ name: String, _ labels: [Label], to format: inout TextFormat) {
    format.sample(name, labels, value.load(ordering: .relaxed))
  }
}

/// A floating-point counter.
final class FloatingPointCounterSeries: Series, FloatingPointCounterHandler {
  private let value = AtomicDouble()

  func increment(by amount: Double) {
    if amount > 0, amount.isFinite { value.add(amount) }
  }

  func reset() { value.set(0) }

  func write(_ name: String, _ labels: [Label], to format: inout TextFormat) {
    format.sample(name, labels, value.get())
  }
}

/// A gauge: the current value.
final class GaugeSeries: Series, MeterHandler, RecorderHandler {
  private let value = AtomicDouble()

  func set(_ number: Int64) { value.set(Double(number)) }
  func set(_ number: Double) { value.set(number) }
  func increment(by amount: Double) { value.add(amount) }
  func decrement(by amount: Double) { value.add(-amount) }
  func record(_ number: Int64) { set(number) }
  func record(_ number: Double) { set(number) }

  func write(_ name: String, _ labels: [Label], to format: inout TextFormat) {
    format.sample(name, labels, value.get())
  }
}

/// A value that is read on export; nil omits it.
final class ObservedSeries: Series {
  private let read: @Sendable () -> Double?

  init(_ read: @escaping @Sendable () -> Double?) { self.read = read }

  func write(_ name: String, _ labels: [Label], to format: inout TextFormat) {
    if let value = read() { format.sample(name, labels, value) }
  }
}

/// An atomic floating-point number.
final class AtomicDouble: Sendable {
  private let bits = Atomic<UInt64>(0)

  func get() -> Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

  func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

  func add(_ amount: Double) {
    var old = bits.load(ordering: .relaxed)
    while true {
      let new = (Double(bitPattern: old) + amount).bitPattern
      let (exchanged, current) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
      if exchanged { return }
      old = current
    }
  }
}
