import DequeModule

/// The questions in hand: taken from the line of commands, and not answered yet.
///
/// A question is answered from the store. So it waits until the changes of the commands before it are stored, which is
/// as long as they take; then questions are read for one at a time, in turns with other work of the store.
struct Questions {
  struct Item: Sendable {
    let question: Question
    let address: ReplyAddress
    let origin: Origin
    let source: CommandSource
    /// The channel of the delivery; nil for a question of the inbox.
    let channel: UInt64?
  }

  /// Questions that wait for changes.
  private var deciding: [Item] = []
  private var ready: Deque<Item> = []
  /// Whether one is being read for.
  private var isReading = false
  private var inboxCount = 0
  private let maximum: Int

  init(settings: Engine.Settings) { maximum = settings.maximumQuestions }

  /// How many more may be taken.
  var room: Int { max(0, maximum - deciding.count - ready.count - (isReading ? 1 : 0)) }

  /// Whether a question of the inbox is in hand. Nothing more of the inbox is taken meanwhile: if the question ends the
  /// process, no other command is blamed for it.
  var holdsInbox: Bool { inboxCount > 0 }

  mutating func add(_ item: Item) {
    assert(room > 0, "questions in hand are limited")
    deciding.append(item)
    if case .inbox = item.source { inboxCount += 1 }
  }

  /// The changes of all commands before these questions are stored.
  mutating func changesAreStored() {
    ready.append(contentsOf: deciding)
    deciding.removeAll()
  }

  /// Takes the next question to read for. Those of a lost channel are dropped: the broker delivers them again.
  mutating func takeNext(channel: UInt64?) -> Item? {
    assert(!isReading, "questions are read for one at a time")
    while let item = ready.popFirst() {
      if case .delivery = item.source, item.channel != channel { continue }
      isReading = true
      return item
    }
    return nil
  }

  /// A question is answered.
  mutating func answered(_ item: Item) {
    assert(isReading, "it was read for")
    isReading = false
    if case .inbox = item.source { inboxCount -= 1 }
    assert(inboxCount >= 0, "questions of the inbox are counted once")
  }
}
