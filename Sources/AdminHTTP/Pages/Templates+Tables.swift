/// Tables that more than one page has.
extension Templates {
  /// A column of a table of events. The page's script makes the same cells, for all columns.
  enum EventColumn: CaseIterable {
    case time, kind, schedule, slot, late, confirmed, words

    fileprivate var head: String {
      switch self {
      case .time: "<th>Time (UTC)"
      case .kind: "<th>Event"
      case .schedule: "<th>Schedule"
      case .slot: "<th>Slot (UTC)"
      case .late: "<th class=\"number\">Late"
      case .confirmed: "<th class=\"number\">Confirmed in"
      case .words: "<th>Details"
      }
    }

    fileprivate var cell: String {
      switch self {
      case .time: Templates.cell("at", "Time", #"<time datetime="{{utc}}">{{text}}</time>"#)
      case .kind: Templates.cell("kind", "Event", #"<span class="badge {{kind}}">{{kind}}</span>"#)
      case .schedule:
        Templates.cell("id", "Schedule", #"<a href="{{link}}"><bdi>{{id}}</bdi></a>"#, style: "schedule")
      case .slot: Templates.cell("slot", "Slot", #"<time datetime="{{slot}}">{{slotText}}</time>"#)
      case .late: Templates.cell("lateness", "Late", "<span>{{lateness}}</span>", style: "number")
      case .confirmed: Templates.cell("confirmed", "Confirmed in", "<span>{{confirmed}}</span>", style: "number")
      case .words: Templates.cell("hasWords", "Details", "<bdi>{{words}}</bdi>")
      }
    }
  }

  /// A cell that is empty where there is no `name`, and then has no place on a card.
  private static func cell(_ name: String, _ label: String, _ content: String, style: String? = nil) -> String {
    let style = style.map { " class=\"\($0)\"" } ?? ""
    return "<td\(style){{#\(name)}} data-label=\"\(label)\"{{/\(name)}}>{{#\(name)}}\(content){{/\(name)}}</td>"
  }

  static func events(_ name: String, _ columns: [EventColumn]) -> String {
    """
    <table>
    <thead><tr>\(columns.map(\.head).joined())</tr></thead>
    <tbody id="\(name)">
    {{#\(name)}}<tr>\(columns.map(\.cell).joined(separator: "\n"))</tr>
    {{/\(name)}}
    {{^\(name)}}<tr class="none"><td colspan="\(columns.count)" class="faint"><div>Nothing.</div></td></tr>{{/\(name)}}
    </tbody></table>

    """
  }

  static func slots(_ name: String) -> String {
    """
    <table class="fit">
    <thead><tr><th>Slot<th>UTC<th>From now<th>Clocks</tr></thead>
    <tbody id="\(name)">
    {{#\(name)}}<tr>\(cell("at", "Slot", "<bdi>{{wall}}</bdi>"))
    \(cell("at", "UTC", #"<time datetime="{{utc}}">{{text}}</time>"#))
    \(cell("at", "From now", "<span>{{relative}}</span>"))
    \(cell("clockChange", "Clocks", #"<span class="clocks">{{clockChange}}</span>"#))</tr>
    {{/\(name)}}
    {{^\(name)}}<tr class="none"><td colspan="4" class="faint"><div>None.</div></td></tr>{{/\(name)}}
    </tbody></table>

    """
  }
}
