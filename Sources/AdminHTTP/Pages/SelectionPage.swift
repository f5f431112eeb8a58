import Scheduling

/// All live schedules of a group, or whose ids have a prefix, and the commands on all of them.
struct SelectionPage {
  struct Count {
    var live = 0
    var paused = 0
    /// Whether there are more live ones, too many to count them all.
    var isAtLeast = false
  }

  var title: String
  /// One of these is empty.
  var group, prefix: String
  var count, paused: Int
  var isTooMany: Bool
  /// Whether the page offers to change them.
  var canChange: Bool
  var listLink: String
  /// Ways to resume them.
  var resumePolicies: [SchedulesPage.Option]
  /// The result of the form that led here.
  var notice: String?

  init(_ selector: BatchCommand.Selector, _ count: Count, allowsChanges: Bool, sent: SentCommand? = nil) {
    switch selector {
    case .group:
      (title, group, prefix) = ("Group \(selector.text)", selector.text, "")
    case .prefix:
      (title, group, prefix) = ("Ids that begin with \(selector.text)", "", selector.text)
    }
    (self.count, paused) = (count.live, count.paused)
    isTooMany = count.isAtLeast
    canChange = allowsChanges && count.live > 0 && !count.isAtLeast
    listLink = "/schedules?\(Self.query(selector))&state=live"
    resumePolicies = SchedulePage.resumePolicies
    notice = sent?.notice
  }

  static func link(to selector: BatchCommand.Selector) -> String { "/selection?" + query(selector) }

  private static func query(_ selector: BatchCommand.Selector) -> String {
    "\(selector.field)=\(percentEncoded(selector.text))"
  }
}
