/// Tables shared by several pages.
extension Templates {
  /// A column of an events table. The script builds the same cells for new events.
  enum EventColumn: CaseIterable {
    case time, kind, schedule, slot, late, confirmed, detail

    fileprivate var head: String {
      switch self {
      case .time: "<th>Time (UTC)"
      case .kind: "<th>Event"
      case .schedule: "<th>Schedule"
      case .slot: "<th>Slot (UTC)"
      case .late: "<th class=\"number\">Late"
      case .confirmed: "<th class=\"number\">Confirmed in"
      case .detail: "<th>Details"
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
      case .detail: Templates.cell("hasDetail", "Details", "<bdi>{{detail}}</bdi>")
      }
    }
  }

  /// A cell that is empty, and hidden on a card, when the row has no `name`.
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
    {{^\(name)}}<tr class="none"><td colspan="\(columns.count)" class="faint"><div>No events.</div></td></tr>{{/\(name)}}
    </tbody></table>

    """
  }

  static func slots(_ name: String) -> String {
    """
    <table class="fit">
    <thead><tr><th>Slot<th>UTC<th>From now<th>Clock change</tr></thead>
    <tbody id="\(name)">
    {{#\(name)}}<tr>\(cell("at", "Slot", "<bdi>{{wall}}</bdi>"))
    \(cell("at", "UTC", #"<time datetime="{{utc}}">{{text}}</time>"#))
    \(cell("at", "From now", "<span>{{relative}}</span>"))
    \(cell("clockChange", "Clock change", #"<span class="clocks">{{clockChange}}</span>"#))</tr>
    {{/\(name)}}
    {{^\(name)}}<tr class="none"><td colspan="4" class="faint"><div>No slots.</div></td></tr>{{/\(name)}}
    </tbody></table>

    """
  }
}
