/// Mustache templates of the pages, embedded so that the binary needs no files.
///
/// Client text is always in `{{ }}`, never in three braces, and within `<bdi>`, so that right-to-left text does not
/// reorder its surroundings. On a phone each table row becomes a card, with `data-label` in the place of the column
/// head.
enum Templates {
  /// Complete pages by name.
  static let pages: [(String, String)] = [
    ("overview", page(overview, at: "/", beside: readiness)),
    ("schedules", page(schedules, at: "/schedules")), ("selection", page(selection, at: "/schedules")),
    ("schedule", page(schedule, at: "/schedules", beside: "{{#schedule}}\(state){{/schedule}}")),
    ("recent", page(recent, at: "/recent", beside: live)), ("preview", page(preview, at: "/preview")),
    ("error", page(error)), ("entered", page(entered, opensOverview: true)),
  ]

  private static let navigation = [
    ("/", "Overview"), ("/schedules", "Schedules"), ("/recent", "Recent"), ("/preview", "Preview"),
  ]

  /// - Parameters:
  ///   - address: The navigation link of this page.
  ///   - badge: Shown beside the heading.
  ///   - opensOverview: Whether the browser continues to the overview at once.
  private static func page(
    _ body: String, at address: String? = nil, beside badge: String = "", opensOverview: Bool = false
  ) -> String {
    let links = navigation.map { link, name in
      "<a href=\"\(link)\"\(link == address ? " aria-current=\"page\"" : "")>\(name)</a>"
    }
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">\(opensOverview ? "\n<meta http-equiv=\"refresh\" content=\"0;url=/\">" : "")
      <title>{{title}} - Pocketwatch</title>
      <link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
      <link rel="stylesheet" href="/assets/style.css">
      <script src="/assets/live.js" defer></script>
      </head>
      <body>
      <header><div><a class="brand" href="/">Pocketwatch</a>
      <nav>\(links.joined(separator: "\n"))</nav></div></header>
      <main>
      <div class="title"><h1><bdi>{{title}}</bdi></h1> \(badge)</div>
      \(body)</main>
      </body>
      </html>

      """
  }

  private static let readiness =
    #"<span class="badge {{#isReady}}good{{/isReady}}{{^isReady}}bad{{/isReady}}"><bdi>{{state}}</bdi></span>"#

  private static let state = #"<span class="badge {{state}}">{{state}}</span>"#

  private static let overview = """
    <dl class="tiles">
    <div><dt>Next tick</dt>{{#nextDue}}<dd>{{relative}}
    <small><time datetime="{{utc}}">{{text}}</time> UTC</small></dd>{{/nextDue}}
    {{^nextDue}}<dd class="zero">none</dd>{{/nextDue}}</div>
    <div><dt>Schedules</dt><dd>{{live}} <small>{{#paused}}{{paused}} paused, {{/paused}}{{ended}} ended</small></dd></div>
    <div><dt>Due within a minute</dt><dd>{{dueWithinMinute}}</dd></div>
    <div><dt>Due within an hour</dt><dd>{{dueWithinHour}}</dd></div>
    <div><dt>Lateness of recent ticks</dt>{{#lateness}}<dd>p50 {{p50}},
    <span>p99 {{p99}}</span></dd>{{/lateness}}
    {{^lateness}}<dd class="zero">none sent</dd>{{/lateness}}</div>
    </dl>
    <h2>Since start, {{started.relative}}</h2>
    <dl class="tiles">
    {{#totals}}<div><dt>{{name}}</dt><dd{{#isZero}} class="zero"{{/isZero}}>{{text}}</dd></div>
    {{/totals}}
    </dl>
    <div class="columns"><section><h2>System status</h2>
    <table id="parts"><tbody>
    {{#parts}}<tr><th scope="row"><span class="dot{{^isHealthy}} bad{{/isHealthy}}"></span>{{name}}</th>
    <td>{{^isHealthy}}<b class="wrong">Problem:</b> {{/isHealthy}}<bdi>{{message}}</bdi></td></tr>
    {{/parts}}
    </tbody></table></section>
    <section><h2>Recent problems</h2>
    \(events("problems", [.time, .kind, .schedule, .detail]))</section></div>
    <footer>Version {{version}}, started <time datetime="{{started.utc}}">{{started.text}}</time> UTC. System time
    <time datetime="{{now.utc}}">{{now.text}}</time> UTC</footer>

    """

  private static let schedules = """
    <form action="/schedules" method="get" role="search">
    <label class="wide">Id begins with <input name="prefix" value="{{prefix}}" maxlength="200" dir="auto"></label>
    <label>Group <input name="group" value="{{chosenGroup}}" maxlength="200" dir="auto"></label>
    <label>Tag <input name="tag" value="{{chosenTag}}" maxlength="64" dir="auto"></label>
    <label>State <select name="state">
    {{#states}}<option{{#isChosen}} selected{{/isChosen}}>{{value}}</option>{{/states}}</select></label>
    <label>Sort by <select name="sort">
    {{#sorts}}<option{{#isChosen}} selected{{/isChosen}}>{{value}}</option>{{/sorts}}</select></label>
    <button>Show</button>
    </form>
    {{#areEnded}}<p class="faint">Most recently ended first.</p>{{/areEnded}}
    {{#isEmpty}}<p>{{#nextLink}}No match on this page; the search continues on the next.{{/nextLink}}\
    {{^nextLink}}No schedules match.{{/nextLink}}</p>{{/isEmpty}}
    {{^isEmpty}}<table>
    <thead><tr><th>Id<th>Timing<th>Next tick<th class="number">Sent<th>State</tr></thead>
    <tbody>
    {{#schedules}}<tr><th scope="row" class="schedule" data-label="Id"><div><a href="{{link}}"><bdi>{{id}}</bdi></a>\
    {{#group}}<small>group <bdi>{{group}}</bdi></small>{{/group}}</div></th>
    <td data-label="Timing"><div>{{description}}<code><bdi>{{timing}}</bdi> · <bdi>{{zone}}</bdi></code></div></td>
    <td data-label="Next tick"><div>{{#next}}{{relative}}<small><bdi>{{wall}}</bdi></small>\
    {{#local}}<small><time datetime="{{utc}}">{{text}}</time> UTC</small>{{/local}}{{/next}}\
    {{#nextSlot}}<small>slot <bdi>{{wall}}</bdi></small>{{/nextSlot}}\
    {{#pause}}{{#until}}<small>resumes {{relative}}, <bdi>{{wall}}</bdi></small>{{/until}}\
    {{^until}}<small>when it is resumed</small>{{/until}}{{/pause}}\
    {{#ended}}<small>ended {{relative}}, <time datetime="{{utc}}">{{text}}</time> UTC</small>{{/ended}}</div></td>
    <td data-label="Sent" class="number"><div>{{sent}}</div></td>
    <td data-label="State"><div>\(state){{#reason}}<small><bdi>{{reason}}</bdi></small>{{/reason}}</div></td></tr>
    {{/schedules}}
    </tbody></table>{{/isEmpty}}
    {{#selectionLink}}<p><a href="{{selectionLink}}">Pause, resume or stop all of them</a></p>{{/selectionLink}}
    <p class="pages">{{#firstLink}}<a href="{{firstLink}}">First page</a>{{/firstLink}}
    {{#nextLink}}<a rel="next" href="{{nextLink}}">Next page</a>{{/nextLink}}</p>

    """

  private static let schedule = """
    {{#notice}}<p class="message note" role="status">{{notice}}</p>{{/notice}}
    {{#schedule}}<dl class="tiles">
    {{#next}}<div><dt>Next tick</dt><dd>{{relative}} <small><bdi>{{wall}}</bdi></small>\
    {{#local}}<small><time datetime="{{utc}}">{{text}}</time> UTC</small>{{/local}}{{#nextSlot}}<small>slot <bdi>{{wall}}</bdi></small>{{/nextSlot}}</dd></div>{{/next}}
    {{#pause}}<div><dt>Resumes</dt>{{#until}}<dd>{{relative}} <small><bdi>{{wall}}</bdi></small></dd>{{/until}}\
    {{^until}}<dd class="zero">by command only</dd>{{/until}}</div>{{/pause}}
    {{#ended}}<div><dt>Ended</dt><dd>{{relative}}
    <small><time datetime="{{utc}}">{{text}}</time> UTC</small></dd></div>{{/ended}}
    {{/schedule}}
    {{#ticks}}<div><dt>Ticks sent</dt><dd>{{sent}}</dd></div>
    <div><dt>Missed slots</dt><dd>{{missed}}</dd></div>
    <div><dt>Duplicates</dt><dd>{{duplicates}}</dd></div>
    <div><dt>Nacked (retried)</dt><dd>{{nacked}}</dd></div>
    <div><dt>Unroutable</dt><dd>{{unroutable}}</dd></div>{{/ticks}}
    </dl>
    {{#schedule}}<h2>Definition</h2>
    <dl class="facts">
    <dt>Timing</dt><dd>{{description}} <code><bdi>{{timing}}</bdi></code></dd>
    <dt>Time zone</dt><dd><bdi>{{zone}}</bdi></dd>
    {{#pause}}<dt>Paused</dt><dd><bdi>{{since.wall}}</bdi>, {{since.relative}}</dd>{{/pause}}
    {{#reason}}<dt>{{#pause}}Pause{{/pause}}{{#ended}}End{{/ended}} reason</dt><dd><bdi>{{reason}}</bdi></dd>{{/reason}}
    {{/schedule}}
    {{#note}}<dt>Description</dt><dd><bdi>{{note}}</bdi></dd>{{/note}}
    {{#group}}<dt>Group</dt><dd><a href="{{link}}"><bdi>{{text}}</bdi></a></dd>{{/group}}
    {{#hasTags}}<dt>Tags</dt><dd>{{#tags}}<a href="{{link}}"><bdi>{{text}}</bdi></a> {{/tags}}</dd>{{/hasTags}}
    {{#target}}<dt>Publishes</dt><dd><bdi>{{event}}</bdi> to <bdi>{{exchange}}</bdi>, key <code><bdi>{{key}}</bdi></code></dd>{{/target}}
    <dt>Revision</dt><dd>{{revision}}</dd>
    {{#ticks.last}}<dt>Last tick</dt><dd>slot <time datetime="{{slot.utc}}">{{slot.text}}</time>, sent\
     <time datetime="{{sent.utc}}">{{sent.text}}</time>, {{lateness}} late,\
     confirmed in {{confirmed}}</dd>{{/ticks.last}}
    {{#started}}<dt>Started</dt><dd><time datetime="{{utc}}">{{text}}</time> UTC, {{relative}}</dd>{{/started}}
    {{#startedByUser}}<dt>Started by login</dt><dd><bdi>{{startedByUser}}</bdi></dd>{{/startedByUser}}
    {{#startedBy}}<dt>Started by message</dt><dd><code><bdi>{{startedBy}}</bdi></code></dd>{{/startedBy}}
    </dl>
    {{#zoneError}}<p class="message bad"><bdi>{{zoneError}}</bdi></p>{{/zoneError}}
    {{^hasEnded}}<h2>Next slots{{#isPaused}} after the pause{{/isPaused}}</h2>
    \(slots("upcoming"))
    {{/hasEnded}}
    <h2>Recent events</h2>
    \(events("recent", [.time, .kind, .slot, .late, .confirmed, .detail]))
    <h2>Start event</h2>
    {{#hasEnded}}<p class="message note">This schedule has ended, and payloads of ended schedules are not retained. To
    start it again, copy this event, add the payload if it had one, and publish it.</p>{{/hasEnded}}
    <pre><bdi>{{startEvent}}</bdi></pre>
    {{#canChange}}<h2>Change</h2>
    {{#isPaused}}<details id="resume"><summary>Resume</summary><form action="/schedule/resume" method="post">
    <input type="hidden" name="id" value="{{schedule.id}}">
    \(policyField)
    <button>Resume</button></form>
    \(policyNote)</details>
    {{/isPaused}}
    <details id="pause"><summary>{{#isPaused}}Change the pause{{/isPaused}}{{^isPaused}}Pause{{/isPaused}}</summary>
    <form action="/schedule/pause" method="post">
    <input type="hidden" name="id" value="{{schedule.id}}">
    \(pauseFields)
    <button>Pause</button></form>
    <p class="faint">Without an end it stays paused until it is resumed.</p></details>
    <details id="trigger"><summary>Send a tick now</summary><form action="/schedule/trigger" method="post">
    <input type="hidden" name="id" value="{{schedule.id}}">
    <label class="check"><input type="checkbox" name="confirm" value="yes" required> Yes, send one</label>
    <button>Trigger</button></form>
    <p class="faint">It moves no slot, does not count towards the limit, and is sent even while paused.</p></details>
    <details id="stop"><summary>Stop</summary><form action="/schedule/stop" method="post">
    <input type="hidden" name="id" value="{{schedule.id}}">
    \(stopFields)
    <button class="bad">Stop</button></form></details>
    <details id="start"><summary>Restart with counter 0</summary><form action="/schedule/start" method="post">
    <input type="hidden" name="id" value="{{schedule.id}}"><button>Restart</button></form></details>{{/canChange}}

    """

  private static let live = #"<span id="live" data-after="{{last}}"><a href="/recent">Reload</a></span>"#

  private static let recent = """
    <p class="faint">The last 500 events since the service started, newest first.</p>
    \(events("events", EventColumn.allCases))
    """

  private static let preview = """
    <form action="/preview" method="get">
    <label class="wide">Cron expression
    <input name="expression" value="{{expression}}" maxlength="256" placeholder="30 2 * * MON-FRI" dir="auto"></label>
    <label>Time zone <input name="zone" value="{{zone}}" maxlength="64" placeholder="UTC" dir="auto"></label>
    <button>Show</button>
    </form>
    {{#error}}<p class="message bad" role="alert"><bdi>{{error}}</bdi></p>{{/error}}
    {{#description}}<p class="message"><b>{{description}}</b></p>{{/description}}
    {{#clockChanges}}<p class="message note">{{.}}</p>
    {{/clockChanges}}
    {{#isAsked}}{{^error}}<h2>Next slots</h2>
    \(slots("slots"))
    {{/error}}{{/isAsked}}

    """

  private static let entered = """
    <p class="message note">This browser is signed in until it is closed. <a href="/">To the overview</a></p>

    """

  private static let error = """
    <p class="message bad"><bdi>{{message}}</bdi></p>
    <p><a href="/">To the overview</a></p>

    """
}
