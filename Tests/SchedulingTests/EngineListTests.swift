import Recurrence
import SchedulingTestKit
import Simulation
import Testing

@testable import Scheduling

/// Schedule List: pages of schedules, and the tokens between them.
struct EngineListTests {
  private static let address = ReplyAddress(replyTo: Array("me".utf8))

  private func page(_ driver: inout EngineDriver, _ list: Question.List) throws -> Listed {
    let count = driver.replies.count
    driver.deliver(.question(.list(list), to: Self.address))
    guard driver.replies.count == count + 1, case .listed(let listed)? = driver.replies.last?.content else {
      throw StoreError(.other, "no page: \(driver.replies.suffix(1))")
    }
    return listed
  }

  /// All pages of a listing. Calls `between` after each.
  private func all(
    _ driver: inout EngineDriver, _ search: ScheduleSearch, limit: Int,
    between: (inout EngineDriver) throws -> Void = { _ in }
  ) throws -> [[ScheduleID]] {
    var pages: [[ScheduleID]] = []
    var list = Question.List(search: search, limit: limit)
    while pages.count < 1000 {
      let listed = try page(&driver, list)
      pages.append(listed.schedules.map(\.id))
      guard let next = listed.next else { break }
      list.last = try #require(ListToken(Array(next.utf8), of: search, secret: driver.engine.secret)).last
      try between(&driver)
    }
    return pages
  }

  private func start(_ driver: inout EngineDriver, _ id: ScheduleID, group: String? = nil, tags: [String]? = nil) throws
  {
    driver.start(Definition(id: id, timing: try Timing(every: "1h"), payload: [0x31], group: group, tags: tags))
    driver.ack()
  }

  private func numbered(_ number: Int) -> ScheduleID { "s\(number < 10 ? "0" : "")\(number)" }

  @Test("pages in order of id, without payloads; the last has no token")
  func pages() throws {
    var driver = try EngineDriver.connected()
    for number in [3, 1, 4, 0, 2] { try start(&driver, numbered(number)) }
    let pages = try all(&driver, ScheduleSearch(), limit: 2)
    #expect(pages.filter { !$0.isEmpty } == [["s00", "s01"], ["s02", "s03"], ["s04"]])
    let listed = try page(&driver, Question.List(search: ScheduleSearch(), limit: 1000))
    #expect(listed.schedules.count == 5 && listed.next == nil)
    #expect(listed.schedules.allSatisfy { $0.definition.payload == nil })
  }

  @Test("a filter by prefix, group, tag and state: all of it applies")
  func filters() throws {
    var driver = try EngineDriver.connected()
    for number in 0..<40 {
      try start(
        &driver, numbered(number), group: number.isMultiple(of: 2) ? "even" : nil,
        tags: number.isMultiple(of: 3) ? ["three", "x"] : nil)
    }
    driver.pause("s06")
    driver.ack()
    driver.stop("s12")
    driver.ack()
    func ids(_ search: ScheduleSearch) throws -> [ScheduleID] { try all(&driver, search, limit: 3).flatMap { $0 } }
    let (group, tag) = (Array("even".utf8), Array("three".utf8))
    #expect(try ids(ScheduleSearch(group: group)).count == 20)
    #expect(try ids(ScheduleSearch(group: group, tag: tag)) == [0, 6, 12, 18, 24, 30, 36].map(numbered))
    #expect(try ids(ScheduleSearch(prefix: Array("s1".utf8), group: group, tag: tag)) == ["s12", "s18"])
    #expect(try ids(ScheduleSearch(tag: tag, lifecycle: .paused)) == ["s06"])
    #expect(try ids(ScheduleSearch(group: group, lifecycle: .ended)) == ["s12"])
    #expect(try ids(ScheduleSearch(group: group, tag: tag, lifecycle: .active)) == [0, 18, 24, 30, 36].map(numbered))
    #expect(try ids(ScheduleSearch(group: Array("odd".utf8))) == [])
  }

  @Test("a rare match: pages may be empty, and end all the same")
  func rare() throws {
    var driver = try EngineDriver.connected()
    for number in 0..<90 { try start(&driver, numbered(number), tags: number == 80 ? ["rare"] : nil) }
    let search = ScheduleSearch(tag: Array("rare".utf8))
    #expect(try all(&driver, search, limit: 10).flatMap { $0 } == ["s80"])
    // The time for reading is over at once.
    let answer = driver.store.answer(.list(Question.List(search: search)), readingIsOver: { true })
    guard case .listed(let list) = answer else { throw StoreError(.other, "\(answer)") }
    #expect(list.schedules.isEmpty && list.next != nil)
  }

  @Test("a schedule that lives through a listing appears in it exactly once, whatever happens to others")
  func exactlyOnce() throws {
    var driver = try EngineDriver.connected()
    var random = SeededGenerator(seed: 7)
    let lasting = (0..<60).map { ScheduleID("keep-\($0)") }
    for id in lasting { try start(&driver, id) }
    for number in 0..<30 { try start(&driver, "other-\(number)") }
    for limit in [1, 3, 7] {
      let seen = try all(&driver, ScheduleSearch(), limit: limit) { driver in
        let other = ScheduleID(
          "\(["a", "keep-1", "other", "z"].randomElement(using: &random) ?? "")-\(random.next() % 30)x")
        try start(&driver, other)
        if random.next() % 2 == 0 { driver.stop(other) }
        try start(&driver, lasting[Int(random.next() % 60)])  // replaces it
        driver.ack()
      }.flatMap { $0 }
      for id in lasting { #expect(seen.count { $0 == id } == 1, "\(id)") }
      #expect(Set(seen).count == seen.count)
    }
  }

  @Test("a page of large schedules ends before it is too large")
  func bytes() throws {
    var driver = try EngineDriver.connected()
    let tags = (0..<16).map { String(repeating: "\u{1}", count: 60) + "\($0)" }
    for number in 0..<99 { try start(&driver, numbered(number), group: String(repeating: "g", count: 200), tags: tags) }
    let pages = try all(&driver, ScheduleSearch(), limit: 1000)
    #expect(pages.count > 2 && pages.flatMap { $0 } == (0..<99).map(numbered))
  }

  // MARK: Tokens

  @Test("a token continues its own listing only")
  func tokens() throws {
    let secret = SipHash.Key(1, 2)
    let search = ScheduleSearch(prefix: [0x61], group: [0x62], tag: [0x63], lifecycle: .active)
    let text = Array(ListToken(after: "last").text(of: search, secret: secret).utf8)
    #expect(ListToken(text, of: search, secret: secret)?.last == "last")
    #expect(ListToken(text, of: search, secret: SipHash.Key(1, 3)) == nil, "of another database")
    var others = Array(repeating: search, count: 5)
    others[0].prefix = []
    others[1].group = nil
    others[2].tag = [0x63, 0x63]
    others[3].lifecycle = .all
    (others[4].group, others[4].tag) = (search.tag, search.group)
    for other in others { #expect(ListToken(text, of: other, secret: secret) == nil) }
    for index in text.indices {
      var forged = text
      forged[index] = forged[index] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
      #expect(ListToken(forged, of: search, secret: secret) == nil)
      #expect(ListToken(text[..<index], of: search, secret: secret) == nil)
    }
    for text in ["", "x", "zz", String(repeating: "0", count: 10_000), String(repeating: "0", count: 32)] {
      #expect(ListToken(Array(text.utf8), of: search, secret: secret) == nil)
    }
  }
}
