import Scheduling
import SchedulingTestKit
import Testing

@Suite("MemoryMessageStore")
struct MemoryMessageStoreTests {
  @Test(arguments: MessageStoreConformance.checks)
  func conforms(_ check: MessageStoreCheck) throws {
    try check.run(MessageStoreFixture(MemoryMessageStore()))
  }

  @Test("with a fault every call throws and nothing changes")
  func fault() throws {
    let store = MemoryMessageStore()
    store.fault = StoreError(.full, "full")
    #expect(throws: StoreError.self) { try store.apply([.keep(.sample(1, due: 1))]) }
    #expect(throws: StoreError.self) { try store.messageTotals() }
    store.fault = nil
    #expect(try store.lastMessage() == 0)
  }
}
