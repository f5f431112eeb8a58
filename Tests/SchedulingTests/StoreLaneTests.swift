import Recurrence
import Simulation
import Testing

@testable import Scheduling

/// The lane to the store, as a value.
struct StoreLaneTests {
  private var lane = StoreLane(settings: Engine.Settings())
  private static let full = StoreError(.full, "no room")
  private static let retry = Engine.Settings().storeRetryMilliseconds

  @Test mutating func doesOneThingAtATime() throws {
    #expect(lane.isIdle && lane.isAvailable && lane.retryTime == nil)
    lane.begin(.owed(after: 7, limit: 2), as: .owed)
    #expect(!lane.isIdle && lane.isAvailable)
    let succeeded = lane.succeeded()
    let (work, isRecovery) = try #require(succeeded)
    guard case .owed(7, 2) = work else { throw Failure("\(work)") }
    #expect(!isRecovery)
    #expect(lane.isIdle)
  }

  @Test mutating func kindsTakeTurns() {
    #expect(
      lane.kindsInTurn == [.owed, .sweep, .apply, .inbox, .lookUp, .batch, .question, .review, .due],
      "owed Stoppeds come first"
    )
    lane.begin(.apply([], []), as: .apply)
    _ = lane.succeeded()
    #expect(lane.kindsInTurn == [.inbox, .lookUp, .batch, .question, .review, .due, .owed, .sweep, .apply])
    lane.begin(.owed(after: 0, limit: 1))  // outside of the turns, while stopping
    _ = lane.succeeded()
    #expect(lane.kindsInTurn.first == .inbox)
  }

  @Test mutating func repeatsTheVerySameRequestAfterAPassingFailure() throws {
    lane.begin(.owed(after: 7, limit: 2), as: .owed)
    #expect(lane.failed(Self.full, at: .second(0)) == true, "the first in a row")
    #expect(!lane.isAvailable && lane.failure == nil)
    #expect(lane.retryTime == Now.second(0).uptime + Self.retry)
    #expect(lane.retry(at: Now(wall: .second(0), uptime: Now.second(0).uptime + Self.retry - 1)) == nil)
    let work = lane.retry(at: Now(wall: .second(0), uptime: Now.second(0).uptime + Self.retry))
    guard case .owed(7, 2)? = work else { throw Failure("\(String(describing: work))") }
    #expect(lane.retryTime == nil && !lane.isAvailable, "its answer is awaited")
    #expect(lane.retry(at: .second(60)) == nil, "asked once")
    #expect(lane.failed(Self.full, at: .second(60)) == false, "not the first")
    _ = lane.retry(at: .second(120))
    let succeeded = lane.succeeded()
    let isRecovery = try #require(succeeded).isRecovery
    #expect(isRecovery && lane.isAvailable && lane.isIdle)
  }

  @Test mutating func endsWithAFailureThatDoesNotPass() {
    lane.begin(.owed(after: 0, limit: 1), as: .owed)
    #expect(lane.failed(StoreError(.corrupt, "damaged"), at: .second(0)) == false)
    #expect(lane.failure?.kind == .corrupt)
    #expect(!lane.isIdle && !lane.isAvailable)
  }

  @Test("commands are being decided while they are looked up and while their changes are stored")
  mutating func deciding() throws {
    lane.begin(.lookUp(InboxLine.Taken(), channel: 1), as: .lookUp)
    #expect(lane.isDeciding)
    _ = lane.succeeded()
    lane.begin(.apply([.markInDoubt(through: .noon)], []), as: .apply)
    #expect(!lane.isDeciding, "an advance alone")
    _ = lane.succeeded()
    let decision = CommandDecision.malformed(Rejection(command: "x", field: "body", reason: ""), origin: Origin())
    let answer = Turn.Answer(source: .delivery(tag: 1), channel: 1, decision: decision)
    lane.begin(.apply([.markInDoubt(through: .noon)], [answer]), as: .apply)
    #expect(lane.isDeciding)
    _ = lane.failed(Self.full, at: .second(0))
    #expect(lane.isDeciding, "while it is retried, too")
  }

  @Test mutating func gathersForABoundedTime() {
    let bound = Engine.Settings().gatheringMilliseconds
    #expect(lane.gathers(at: Now(wall: .noon, uptime: 100)) == true)
    #expect(lane.gatheringEnd == 100 + bound)
    #expect(lane.gathers(at: Now(wall: .noon, uptime: 100 + bound - 1)) == true)
    #expect(lane.gathers(at: Now(wall: .noon, uptime: 100 + bound)) == false)
    #expect(lane.endGathering() == true)
    #expect(lane.gatheringEnd == nil)
    #expect(lane.endGathering() == false)
  }

  private struct Failure: Error {
    let text: String
    init(_ text: String) { self.text = text }
  }
}
