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
      case .words: "<th>What"
      }
    }

    fileprivate var cell: String {
      switch self {
      case .time: #"<td data-label="Time"><time datetime="{{at.utc}}">{{at.text}}</time></td>"#
      case .kind: #"<td data-label="Event"><span class="badge {{kind}}">{{label}}</span></td>"#
      case .schedule:
        ##"<td class="schedule"{{#id}} data-label="Schedule"{{/id}}>{{#id}}<a href="{{link}}"><bdi>{{id}}</bdi></a>{{/id}}</td>"##
      case .slot:
        ##"<td{{#slot}} data-label="Slot"{{/slot}}>{{#slot}}<time datetime="{{slot}}">{{slotText}}</time>{{/slot}}</td>"##
      case .late:
        ##"<td class="number"{{#latenessMilliseconds}} data-label="Late"{{/latenessMilliseconds}}>"##
          + "{{#latenessMilliseconds}}<span>{{latenessMilliseconds}} ms</span>{{/latenessMilliseconds}}</td>"
      case .confirmed:
        ##"<td class="number"{{#confirmMilliseconds}} data-label="Confirmed in"{{/confirmMilliseconds}}>"##
          + "{{#confirmMilliseconds}}<span>{{confirmMilliseconds}} ms</span>{{/confirmMilliseconds}}</td>"
      case .words: ##"<td{{#hasWords}} data-label="What"{{/hasWords}}>{{#hasWords}}<bdi>{{words}}</bdi>{{/hasWords}}</td>"##
      }
    }
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
    {{#\(name)}}<tr><td data-label="Slot"><bdi>{{at.wall}}</bdi></td>
    <td data-label="UTC"><time datetime="{{at.utc}}">{{at.text}}</time></td>
    <td data-label="From now"><span>{{at.relative}}</span></td>
    <td{{#clockChange}} data-label="Clocks"{{/clockChange}}>{{#clockChange}}<span class="clocks">{{clockChange}}</span>{{/clockChange}}</td></tr>
    {{/\(name)}}
    {{^\(name)}}<tr class="none"><td colspan="4" class="faint"><div>None.</div></td></tr>{{/\(name)}}
    </tbody></table>

    """
  }
}
