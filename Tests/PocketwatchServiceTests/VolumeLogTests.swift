import Logging
import Testing

@testable import PocketwatchService

@Suite("Entries at volume are logged once, then counted")
struct VolumeLogTests {
  private func entry(_ id: String, kind: String = "returned", identity: String = "same") -> VolumeLog.Entry {
    VolumeLog.Entry(kind: kind, identity: identity, level: .warning, message: "returned", metadata: ["id": "\(id)"])
  }

  private func logged(_ id: String, times: Int? = nil, _ message: String = "returned") -> RecordingLog.Entry {
    let times = times.map { ["times": "\($0)"] } ?? [:]
    return RecordingLog.Entry(level: .warning, message: message, metadata: ["id": id].merging(times) { $1 })
  }

  @Test func firstInFullThenOnceAMinute() {
    let log = RecordingLog()
    var volume = VolumeLog(logger: log.logger)
    volume.log(entry("a"), uptime: 1000)
    #expect(log.take() == [logged("a")])
    for time in stride(from: Int64(1000), through: 60_999, by: 100) {
      volume.log(entry("b\(time)"), uptime: time)
      volume.flush(uptime: time)
    }
    #expect(log.take() == [], "within the minute")
    volume.flush(uptime: 61_000)
    #expect(log.take() == [logged("b60900", times: 600)])
    volume.log(entry("c"), uptime: 61_001)
    volume.flush(uptime: 120_999)
    #expect(log.take() == [])
    volume.flush(uptime: 121_000)
    #expect(log.take() == [logged("c")], "one is not counted")
    volume.flush(uptime: 181_000)
    #expect(log.take() == [], "a minute without any")
    volume.log(entry("d"), uptime: 181_001)
    #expect(log.take() == [logged("d")], "at once again")
  }

  /// A busy loop may not flush.
  @Test func underSteadyLoadTheMinuteEndsWithoutAFlush() {
    let log = RecordingLog()
    var volume = VolumeLog(logger: log.logger)
    for time in stride(from: Int64(1000), through: 180_000, by: 1000) {
      volume.log(entry("\(time)"), uptime: time)
    }
    #expect(log.take() == [logged("1000"), logged("61000", times: 60), logged("121000", times: 60)])
  }

  @Test func kindsThatFallDueApartAreEachFlushedInTime() {
    let log = RecordingLog()
    var volume = VolumeLog(logger: log.logger)
    for time in [Int64(0), 1] { volume.log(entry("a\(time)", kind: "one"), uptime: time) }
    for time in [Int64(30_000), 30_001] { volume.log(entry("b\(time)", kind: "two"), uptime: time) }
    #expect(log.take() == [logged("a0"), logged("b30000")])
    volume.flush(uptime: 60_000)
    #expect(log.take() == [logged("a1")])
    volume.flush(uptime: 89_999)
    #expect(log.take() == [])
    volume.flush(uptime: 90_000)
    #expect(log.take() == [logged("b30001")])
  }

  @Test func kindsAndCausesAreTheirOwn() {
    let log = RecordingLog()
    var volume = VolumeLog(logger: log.logger)
    for _ in 1...3 {
      volume.log(entry("a", kind: "one"), uptime: 0)
      volume.log(entry("b", kind: "two", identity: "full"), uptime: 0)
      volume.log(entry("c", kind: "two", identity: "gone"), uptime: 0)
    }
    #expect(log.take() == [logged("a"), logged("b"), logged("c")])
    volume.flush(uptime: 60_000)
    #expect(log.take() == [logged("a", times: 2), logged("b", times: 2), logged("c", times: 2)])
  }

  @Test("ten causes per kind are distinct, others counted together; after a quiet minute there is room again")
  func distinctBound() {
    let log = RecordingLog()
    var volume = VolumeLog(logger: log.logger)
    for round in 1...3 {
      for number in 1...1000 { volume.log(entry("\(number)", identity: "\(number)"), uptime: Int64(round)) }
    }
    #expect(log.take() == (1...10).map { logged("\($0)") })
    volume.log(entry("x", kind: "another"), uptime: 3)
    #expect(log.take() == [logged("x")], "of another kind")
    volume.flush(uptime: 60_001)
    let counted = log.take()
    #expect(
      Set(counted)
        == Set((1...10).map { logged("\($0)", times: 2) } + [logged("1000", times: 2970, "returned, among others")]))
    volume.flush(uptime: 120_001)
    volume.log(entry("new", identity: "new"), uptime: 120_002)
    #expect(log.take() == [logged("new")])
  }
}
