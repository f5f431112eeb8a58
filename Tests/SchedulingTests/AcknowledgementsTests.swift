import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// Compares the frames with a model of the broker's set of unacknowledged deliveries.
struct AcknowledgementsTests {
  /// The effect of frames on the broker: the tags still unacknowledged, those acknowledged, and those dead-lettered.
  private struct Broker {
    var unacknowledged: Set<UInt64> = []
    var acknowledged: Set<UInt64> = []
    var dead: Set<UInt64> = []

    /// Returns false for a frame that the broker would answer with 406, unknown delivery tag.
    mutating func take(_ frame: Acknowledgements.Frame) -> Bool {
      switch frame {
      case .acknowledge(let tag, multiple: false):
        guard unacknowledged.remove(tag) != nil else { return false }
        acknowledged.insert(tag)
      case .acknowledge(let tag, multiple: true):
        let upTo = unacknowledged.filter { $0 <= tag }
        guard upTo.contains(tag) else { return false }
        unacknowledged.subtract(upTo)
        acknowledged.formUnion(upTo)
      case .reject(let tag):
        guard unacknowledged.remove(tag) != nil else { return false }
        dead.insert(tag)
      }
      return true
    }
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func settlesExactlyWhatWasSettled(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var acknowledgements = Acknowledgements()
    var broker = Broker()
    var open: [UInt64] = []
    var expected = Broker()
    var nextTag: UInt64 = 1
    for _ in 0..<100 {
      if random.oneIn(2) {
        acknowledgements.delivered(nextTag, since: .noon)
        broker.unacknowledged.insert(nextTag)
        open.append(nextTag)
        nextTag += 1
      } else if let index = open.indices.randomElement(using: &random) {
        let tag = open.remove(at: random.oneIn(2) ? 0 : index)
        let isDead = random.oneIn(4)
        acknowledgements.settle(tag, isDead ? .deadLetter : .acknowledge)
        if isDead { expected.dead.insert(tag) } else { expected.acknowledged.insert(tag) }
      }
      guard random.oneIn(4) else { continue }
      for frame in acknowledgements.takeFrames() {
        let isKnown = broker.take(frame)
        #expect(isKnown, "406 at \(frame)")
      }
      #expect(broker.unacknowledged == Set(open))
      #expect(broker.acknowledged == expected.acknowledged)
      #expect(broker.dead == expected.dead)
      #expect(acknowledgements.takeFrames() == [])
    }
  }

  @Test func oneFrameForARun() {
    var acknowledgements = Acknowledgements()
    for tag in 1...100 as ClosedRange<UInt64> { acknowledgements.delivered(tag, since: .noon) }
    for tag in 1...99 as ClosedRange<UInt64> { acknowledgements.settle(tag, .acknowledge) }
    #expect(acknowledgements.takeFrames() == [.acknowledge(tag: 99, multiple: true)])
  }

  /// Deliveries on one schedule are settled in their order; those on others do not wait for them.
  @Test func keepsTheOrderOfEachSchedule() {
    var acknowledgements = Acknowledgements()
    for (tag, id) in [(1, "a"), (2, "b"), (3, "a"), (4, nil), (5, "b")] as [(UInt64, ScheduleID?)] {
      acknowledgements.delivered(tag, on: id.map { .schedule($0) } ?? .nothing, since: .noon)
    }
    for tag in 2...5 as ClosedRange<UInt64> { acknowledgements.settle(tag, .acknowledge) }
    #expect(
      acknowledgements.takeFrames() == [2, 4, 5].map { .acknowledge(tag: $0, multiple: false) })
    acknowledgements.settle(1, .deadLetter)
    #expect(acknowledgements.takeFrames() == [.reject(tag: 1), .acknowledge(tag: 3, multiple: true)])
  }

  /// One on many schedules waits for all before it, and those behind it wait for it only if it is about theirs.
  @Test func settlesACommandOnManySchedulesAfterAllBeforeIt() {
    var acknowledgements = Acknowledgements()
    let subjects: [Acknowledgements.Subject] = [.nothing, .schedule("a"), .many, .schedule("b"), .many]
    for (tag, subject) in zip(UInt64(1)..., subjects) { acknowledgements.delivered(tag, on: subject, since: .noon) }
    acknowledgements.settle(3, .acknowledge)
    acknowledgements.settle(4, .acknowledge)
    #expect(acknowledgements.takeFrames() == [.acknowledge(tag: 4, multiple: false)])
    acknowledgements.settle(5, .acknowledge)
    #expect(acknowledgements.takeFrames() == [])
    acknowledgements.settle(2, .acknowledge)
    #expect(acknowledgements.takeFrames() == [2, 3, 5].map { .acknowledge(tag: $0, multiple: false) })
  }

  /// A delivery that is settled twice, or was never delivered, changes nothing.
  @Test func unknownTags() {
    var acknowledgements = Acknowledgements()
    acknowledgements.delivered(1, since: .noon)
    acknowledgements.delivered(2, since: .noon)
    acknowledgements.settle(3, .acknowledge)
    acknowledgements.settle(2, .deadLetter)
    acknowledgements.settle(2, .acknowledge)
    #expect(acknowledgements.takeFrames() == [.reject(tag: 2)])
    acknowledgements.settle(2, .acknowledge)
    #expect(acknowledgements.takeFrames() == [])
  }
}
