import Foundation
import SQLiteStore
import Scheduling
import SchedulingTestKit
import Testing

@Suite("SQLiteStore")
struct SQLiteStoreTests {
  @Test(arguments: StoreConformance.checks)
  func conforms(_ check: StoreCheck) throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("schedules.sqlite")
    let fixture = try StoreFixture(SQLiteStore(path: path)) { store in
      try (store as? SQLiteStore)?.close()
      return try SQLiteStore(path: path)
    }
    try check.run(fixture)
  }
}
