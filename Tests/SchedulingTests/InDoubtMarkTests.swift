import Recurrence
@testable import Scheduling
import Simulation
import Testing

/// The in-doubt mark as a value.
struct InDoubtMarkTests {
  private var mark = InDoubtMark(recovered: .second(10))

  @Test mutating func coversOnlyWhatIsStored() {
    #expect(mark.covers(.second(10)) && !mark.covers(.second(11)))
    #expect(mark.request(at: .second(20)) == .markInDoubt(through: .second(23)))
    #expect(!mark.covers(.second(21)), "requested, not stored")
    #expect(mark.request(at: .second(21)) == nil, "one at a time")
    mark.wasStored(.second(23))
    #expect(mark.covers(.second(23)) && !mark.covers(.second(24)))
    #expect(mark.recovered == .second(10))
  }

  @Test mutating func runsOutWhenLittleIsLeft() {
    mark.wasStored(.second(23))
    #expect(!mark.isRunningOut(at: .millisecond(21_500)), "half of it is left")
    #expect(mark.isRunningOut(at: .millisecond(21_501)))
    _ = mark.request(at: .second(30))
    #expect(!mark.isRunningOut(at: .second(30)), "about to be stored")
  }

  @Test mutating func isLoweredOnceAndFromThenOn() {
    mark.wasStored(.second(1_000_000))
    mark.sent(.second(999_000))
    #expect(mark.lower(to: .second(50)) == nil, "the clock was not set back")
    mark.clockWasSetBack(through: .second(5))
    #expect(mark.recovered == .second(5))
    #expect(mark.lower(to: .second(50)) == .markInDoubt(through: .second(53)))
    #expect(mark.stored == .second(53) && mark.sentThrough == .second(50))
    #expect(mark.lower(to: .second(50)) == nil)
    mark.wasStored(.second(53))
    #expect(mark.lower(to: .second(60)) == nil, "lowered once")
  }

  @Test mutating func waitsToBeLoweredWhileAnotherIsAboutToBeStored() {
    _ = mark.request(at: .second(1_000_000))
    mark.clockWasSetBack(through: .second(100))
    #expect(mark.lower(to: .second(50)) == nil)
    mark.wasStored(.second(1_000_003))
    #expect(mark.lower(to: .second(50)) == .markInDoubt(through: .second(53)))
  }

  @Test mutating func cleanStopLeavesOnlyWhatIsUnconfirmed() {
    #expect(mark.final(at: .second(11)) == nil, "nothing beyond now")
    mark.wasStored(.second(23))
    #expect(mark.final(at: .second(21)) == .markInDoubt(through: .second(21)))
    mark.sent(.second(22))
    #expect(mark.final(at: .second(15)) == .markInDoubt(through: .second(22)), "sent before the clock was set back")
    #expect(mark.final(at: .second(5)) == .markInDoubt(through: .second(22)))
  }
}
