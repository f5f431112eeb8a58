import Scheduling
import SchedulingTestKit
import Testing

@Suite("MemoryStore")
struct MemoryStoreTests {
  @Test(arguments: StoreConformance.checks)
  func conforms(_ check: StoreCheck) throws {
    try check.run(StoreFixture(MemoryStore()))
  }

  @Test("while it has a fault, every call throws it and nothing changes")
  func fault() throws {
    let store = MemoryStore()
    let schedule = Schedule.sample(generation: 1)
    let full = StoreError(.full, "No room is left.")
    store.fault = full
    #expect(throws: full) { try store.apply([.start(schedule)]) }
    #expect(throws: full) { try store.load() }
    #expect(throws: full) { try store.sweep(.keeping(), limit: 1) }
    store.fault = nil
    #expect(try store.page(after: nil, limit: 10) == [])
    try store.apply([.start(schedule)])
    #expect(try store.schedules([schedule.id]) == [schedule])
  }
}
