import Logging
import Testing

@testable import PocketwatchService

@Suite("What happens at volume is told once, then counted")
struct VolumeLogTests {
  private func entry(_ id: String) -> VolumeLog.Entry {
    VolumeLog.Entry(level: .warning, message: "returned", metadata: ["id": "\(id)"])
  }

  private func logged(_ id: String, times: Int? = nil) -> RecordingLog.Entry {
    let times = times.map { ["times": "\($0)"] } ?? [:]
    return RecordingLog.Entry(level: .warning, message: "returned", metadata: ["id": id].merging(times) { $1 })
  }

  @Test func firstInFullThenOnceAMinute() {
    let log = RecordingLog()
    var volume = VolumeLog(logger: log.logger)
    volume.log("returned", entry("a"), uptime: 1000)
    #expect(log.take() == [logged("a")])
    for time in stride(from: Int64(1000), through: 60_999, by: 100) {
      volume.log("returned", entry("b\(time)"), uptime: time)
      volume.flush(uptime: time)
    }
    #expect(log.take() == [], "within the minute")
    volume.flush(uptime: 61_000)
    #expect(log.take() == [logged("b60900", times: 600)])
    volume.log("returned", entry("c"), uptime: 61_001)
    volume.flush(uptime: 120_999)
    #expect(log.take() == [])
    volume.flush(uptime: 121_000)
    #expect(log.take() == [logged("c")], "one is not counted")
    volume.flush(uptime: 181_000)
    #expect(log.take() == [], "a minute without any")
    volume.log("returned", entry("d"), uptime: 181_001)
    #expect(log.take() == [logged("d")], "at once again")
  }

  /// A loop that never rests does not get to flush.
  @Test func underSteadyLoadTheMinuteEndsWithoutAFlush() {
    let log = RecordingLog()
    var volume = VolumeLog(logger: log.logger)
    for time in stride(from: Int64(1000), through: 180_000, by: 1000) {
      volume.log("returned", entry("\(time)"), uptime: time)
    }
    #expect(log.take() == [logged("1000"), logged("61000", times: 60), logged("121000", times: 60)])
  }

  @Test func kindsThatFallDueApartAreEachFlushedInTime() {
    let log = RecordingLog()
    var volume = VolumeLog(logger: log.logger)
    for time in [Int64(0), 1] { volume.log("one", entry("a\(time)"), uptime: time) }
    for time in [Int64(30_000), 30_001] { volume.log("two", entry("b\(time)"), uptime: time) }
    #expect(log.take() == [logged("a0"), logged("b30000")])
    volume.flush(uptime: 60_000)
    #expect(log.take() == [logged("a1")])
    volume.flush(uptime: 89_999)
    #expect(log.take() == [])
    volume.flush(uptime: 90_000)
    #expect(log.take() == [logged("b30001")])
  }

  @Test func kindsAreTheirOwn() {
    let log = RecordingLog()
    var volume = VolumeLog(logger: log.logger)
    for _ in 1...3 {
      volume.log("one", entry("a"), uptime: 0)
      volume.log("two", entry("b"), uptime: 0)
    }
    #expect(log.take() == [logged("a"), logged("b")])
    volume.flush(uptime: 60_000)
    #expect(log.take() == [logged("a", times: 2), logged("b", times: 2)])
  }
}
