import EventBus
import Glibc
import Scheduling
import Testing

/// Promise P17: no message crashes the service or holds it for more than 10 ms of CPU.
@Suite("Hostile input")
struct HostileInputTests {
  /// 10 ms in a release build. A debug build is about a hundred times slower: there smaller bodies are used, and only runaway
  /// costs are detected.
  static let bound: Duration = isOptimised ? .milliseconds(10) : .seconds(2)
  static let size = isOptimised ? IncomingMessage.maximumBodySize : IncomingMessage.maximumBodySize / 4

  @Test("random bytes are rejected", arguments: 0..<50 as Range<UInt64>)
  func randomBytes(seed: UInt64) {
    var random = RandomJSON(seed: seed)
    for _ in 0..<20 {
      let bytes = random.bytes(count: random.below(300))
      let incoming = IncomingMessage(routingKey: random.bytes(count: random.below(20)), messageID: [], body: bytes)
      #expect(decoder.decode(incoming).content.rejection != nil)
    }
  }

  @Test("damaged commands are decided, and one that is accepted is JSON", arguments: 0..<100 as Range<UInt64>)
  func damaged(seed: UInt64) throws {
    var random = RandomJSON(seed: seed)
    let payload = random.document()
    let start = startEvent(
      #""id": "test:schedule", "cron": "*/5 9-17 * * MON-FRI", "limit": 10, "timezone": "Europe/Rome", "#
        + #""startDate": "2026-11-23T08:30:00Z", "jitter": "1h 30m", "x": \#(random.object()), "payload": \#(payload)"#)
    #expect(decode(start).start != nil)
    for _ in 0..<50 {
      let body = random.mutated(Array(start.utf8))
      let content = decoder.decode(IncomingMessage(routingKey: Array("Schedule Start".utf8), body: body))
        .content
      switch content {
      case .command: #expect(throws: Never.self) { try readsLeniently(body) }
      case .malformed(let rejection): #expect(!rejection.reason.isEmpty)
      case .batch, .question, .ownEvent, .redelivered: Issue.record("no mutation makes another event")
      }
    }
  }

  @Test("damaged control commands are decided, and one that is accepted is JSON", arguments: 0..<25 as Range<UInt64>)
  func damagedControl(seed: UInt64) throws {
    var random = RandomJSON(seed: seed)
    let commands = [
      ("Schedule Pause", #""id": "a", "until": "2099-11-23T08:30:00Z", "reason": "r""#),
      ("Schedule Pause", #""id": "a", "for": "1h 30m", "x": \#(random.object())"#),
      ("Schedule Resume", #""id": "a", "misfirePolicy": "fireAll", "reason": "r""#),
      ("Schedule Resume", #""group": "g", "max": 9, "misfirePolicy": "fireAll", "reason": "r""#),
      ("Schedule Stop", #""prefix": "tenant:", "max": 100000, "reason": "r""#),
      ("Schedule Trigger", #""id": "a", "payload": \#(random.document())"#),
      (
        "Schedule Update",
        #""id": "a", "every": "90s", "limit": 3, "tags": ["t"], "remove": ["endDate"], "ifRevision": 7, "#
          + #""payload": \#(random.document())"#
      ),
    ]
    for (name, detail) in commands {
      let body = Array(#"{"DetailType": "\#(name)", "Detail": {\#(detail)}}"#.utf8)
      for body in [body] + (0..<40).map({ _ in random.mutated(body) }) {
        let incoming = IncomingMessage(routingKey: Array(name.utf8), messageID: Array("m".utf8), body: body)
        switch decoder.decode(incoming).content {
        case .command, .batch: #expect(throws: Never.self) { try readsLeniently(body) }
        case .malformed(let rejection): #expect(!rejection.reason.isEmpty)
        case .question, .ownEvent, .redelivered: Issue.record("no mutation makes another event")
        }
      }
      switch decoder.decode(IncomingMessage(routingKey: Array(name.utf8), messageID: Array("m".utf8), body: body))
        .content
      {
      case .command, .batch: break
      default: Issue.record("\(name) is not accepted")
      }
    }
  }

  @Test("the largest body of every kind is decided in time", arguments: largest)
  func largeBodies(name: String, body: String) {
    let incoming = message(body, messageID: "m")
    #expect(incoming.body.count <= IncomingMessage.maximumBodySize)
    let start = Self.cpuTime
    _ = decoder.decode(incoming)
    #expect(Self.cpuTime - start < Self.bound, "\(name)")
  }

  /// Bodies close to the largest, each heavy on another part of the reader.
  static let largest: [(String, String)] = {
    let head = #"{"DetailType":"Schedule Start","Detail":{"id":"a","cron":"* * * * *","#
    func filled(_ before: String, _ unit: (Int) -> String, _ after: String) -> String {
      var body = before
      var count = 0
      while body.utf8.count + after.utf8.count < size - 40 {
        body += unit(count)
        count += 1
      }
      return body + after
    }
    let keys = (0..<size / 24).map { "\"k\($0)\":0" }.joined(separator: ",")
    let doubled = head + #""x":[{\#(keys)},{\#(keys)}]}}"#
    return [
      ("keys in Detail", filled(head, { "\"k\($0)\":1," }, #""z":0}}"#)),
      ("keys in the envelope", filled("{", { "\"k\($0)\":1," }, #""z":0}"#)),
      ("escaped keys", filled(head, { "\"\\n\($0)\":1," }, #""z":0}}"#)),
      ("the same key again and again", filled(head, { _ in "\"k\":1," }, #""z":0}}"#)),
      ("the same keys in two objects", doubled),
      ("objects of one key", filled(head + #""x":["#, { _ in #"{"a":1},"# }, "0]}}")),
      ("empty arrays", filled(head + #""payload":["#, { _ in "[]," }, "0]}}")),
      ("brackets", filled(head + #""x":"#, { _ in "[" }, "")),
      ("escapes", filled(head + #""x":""#, { _ in #"\ud83d\ude00"# }, #""}}"#)),
      ("backslashes in a Detail string", filled(#"{"Detail":"{\"id\":\""#, { _ in #"\\\\"# }, #"\"}"}"#)),
      ("a long string", filled(head + #""payload":""#, { _ in "abcdefgh" }, #""}}"#)),
      ("a long cron", filled(#"{"DetailType":"Schedule Start","Detail":{"id":"a","cron":""#, { _ in "1," }, #""}}"#)),
      ("a long number", filled(head + #""limit":"#, { _ in "12345678" }, "}}")),
      ("white space", filled(head, { _ in "\t\n\r " }, #""z":0}}"#)),
    ]
  }()

  /// Reads a document like an event. Duplicate keys inside Detail are allowed, because part of it is payload.
  private func readsLeniently(_ json: [UInt8]) throws {
    var reader = try JSONReader(json[...])
    _ = try reader.readValue(uniqueKeys: false)
    try reader.readEnd()
  }

  /// The CPU time of this thread, which does not depend on other processes.
  private static var cpuTime: Duration {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  private static var isOptimised: Bool {
    var isDebug = false
    assert(
      {
        isDebug = true
        return true
      }())
    return !isDebug
  }
}
