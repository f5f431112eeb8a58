import AMQP
import Testing

struct ConfirmsTests {
  @Test func countsFromOne() {
    var confirms = Confirms<String>()
    #expect(confirms.nextSequence == 1)
    confirms.published("a")
    #expect(confirms.nextSequence == 2)
    #expect(confirms.resolve(1, multiple: false) == ["a"])
    #expect(confirms.nextSequence == 2)
    #expect(confirms.count == 0)
  }

  @Test func resolvesOutOfOrderAndEachOnce() {
    var confirms = Confirms<Int>()
    for number in 1...5 { confirms.published(number) }
    #expect(confirms.resolve(3, multiple: false) == [3])
    #expect(confirms.resolve(3, multiple: false) == [])
    #expect(confirms.resolve(4, multiple: true) == [1, 2, 4])
    #expect(confirms.resolve(2, multiple: true) == [])
    #expect(confirms.resolve(0, multiple: true) == [5])
    #expect(confirms.count == 0)
  }

  @Test func rejectsNumbersThatWereNeverUsed() {
    var confirms = Confirms<Int>()
    #expect(confirms.resolve(1, multiple: false) == nil)
    #expect(confirms.resolve(1, multiple: true) == nil)
    #expect(confirms.resolve(0, multiple: false) == nil)
    #expect(confirms.resolve(0, multiple: true) == [])
    confirms.published(1)
    #expect(confirms.resolve(2, multiple: true) == nil)
    #expect(confirms.resolve(.max, multiple: false) == nil)
    #expect(confirms.resolve(0, multiple: false) == nil)
    #expect(confirms.count == 1)
  }

  @Test func updatesTheOldestMatch() {
    var confirms = Confirms<(name: String, marks: Int)>()
    for name in ["a", "b", "b"] { confirms.published((name, 0)) }
    let first = confirms.updateFirst(where: { $0.name == "b" }, { $0.marks += 1 })
    let second = confirms.updateFirst(where: { $0.name == "b" && $0.marks == 0 }, { $0.marks += 2 })
    let none = confirms.updateFirst(where: { $0.name == "c" }, { $0.marks += 9 })
    #expect([first, second, none] == [true, true, false])
    #expect(confirms.resolve(3, multiple: true)?.map(\.marks) == [0, 1, 2])
  }

  /// As for a queue that has lost its majority, while all others confirm.
  @Test func anUnconfirmedMessageCostsOneSlot() {
    var confirms = Confirms<UInt64>()
    confirms.published(1)
    var isEachResolved = true
    for sequence in UInt64(2)...100_000 {
      confirms.published(sequence)
      isEachResolved = confirms.resolve(sequence, multiple: false) == [sequence] && isEachResolved
    }
    #expect(isEachResolved)
    #expect(confirms.count == 1)
    #expect(confirms.slotCount < 2_000)
    #expect(confirms.resolve(99_999, multiple: true) == [1])
    #expect(confirms.count == 0)
  }

  /// The same results as a dictionary, over long random histories.
  @Test(arguments: 0..<20)
  func agreesWithANaiveModel(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var confirms = Confirms<UInt64>()
    var model: [UInt64: UInt64] = [:]
    var last: UInt64 = 0
    for _ in 0..<5_000 {
      if Int.random(in: 0..<10, using: &generator) < 6 {
        last += 1
        confirms.published(last * 10)
        model[last] = last * 10
      } else {
        let multiple = Bool.random(using: &generator)
        let sequence = UInt64.random(in: last > 40 ? last - 40...last + 1 : 0...last + 1, using: &generator)
        let expected = settle(&model, sequence, multiple: multiple, last: last)
        #expect(confirms.resolve(sequence, multiple: multiple) == expected)
      }
      #expect(confirms.count == model.count)
    }
    #expect(confirms.nextSequence == last + 1)
  }

  /// As above, with confirms of single messages of any age, and some that never come.
  @Test(arguments: 0..<5)
  func agreesWithANaiveModelWhenSomeStayUnconfirmed(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var confirms = Confirms<UInt64>()
    var model: [UInt64: UInt64] = [:]
    for last in UInt64(1)...4_000 {
      confirms.published(last * 10)
      model[last] = last * 10
      for _ in 0..<Int.random(in: 0...5, using: &generator) {
        let sequence = UInt64.random(in: last > 50 ? last - 50...last : 1...last, using: &generator)
        guard sequence % 97 != 0 else { continue }
        let expected = model.removeValue(forKey: sequence).map { [$0] } ?? []
        #expect(confirms.resolve(sequence, multiple: false) == expected)
      }
      #expect(confirms.count == model.count)
      #expect(confirms.slotCount <= 2 * model.count + 1025)
    }
    #expect(confirms.resolve(0, multiple: true) == model.keys.sorted().map { $0 * 10 })
  }

  private func settle(
    _ model: inout [UInt64: UInt64], _ sequence: UInt64, multiple: Bool, last: UInt64
  ) -> [UInt64]? {
    if sequence > last || sequence == 0 && !multiple { return nil }
    let isSettled = { (key: UInt64) in multiple ? sequence == 0 || key <= sequence : key == sequence }
    let keys = model.keys.filter(isSettled).sorted()
    return keys.compactMap { model.removeValue(forKey: $0) }
  }
}
