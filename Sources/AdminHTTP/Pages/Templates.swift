/// The templates, in the program itself, so that it needs no file beside it.
///
/// Whatever is foreign stands in `{{ }}`, never in three braces, and within `<bdi>`, so that text from right to left turns
/// nothing around it.
enum Templates {
  static let bodies: [(String, String)] = [
    ("overview", overview), ("schedules", schedules), ("schedule", schedule), ("recent", recent), ("preview", preview),
    ("error", "<p class=\"bad\"><bdi>{{words}}</bdi></p>\n<p><a href=\"/\">To the overview</a></p>\n"),
  ]

  static let head = """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>{{title}} - Pocketwatch</title>
    <link rel="stylesheet" href="/assets/style.css">
    <script src="/assets/live.js" defer></script>
    </head>
    <body>
    <header><b>Pocketwatch</b>
    <nav><a href="/">Overview</a> <a href="/schedules">Schedules</a> <a href="/recent">Recent</a>
    <a href="/preview">Preview</a></nav></header>
    <main>
    <h1><bdi>{{title}}</bdi></h1>

    """

  static let foot = "</main>\n</body>\n</html>\n"

  private static let overview = """
    <p class="{{#isReady}}good{{/isReady}}{{^isReady}}bad{{/isReady}}"><b><bdi>{{state}}</bdi></b></p>
    <dl>
    <dt>Due within a minute</dt><dd>{{dueWithinMinute}}</dd>
    <dt>Due within an hour</dt><dd>{{dueWithinHour}}</dd>
    {{#nextDue}}<dt>Next</dt><dd><time datetime="{{utc}}">{{utc}}</time>, {{relative}}</dd>{{/nextDue}}
    {{#latenessMilliseconds}}<dt>Lateness of recent ticks</dt>
    <dd>half within {{median}} ms, 99 in 100 within {{worstInHundred}} ms</dd>{{/latenessMilliseconds}}
    {{#totals}}<dt>{{name}}</dt><dd>{{value}}</dd>
    {{/totals}}
    </dl>
    <h2>What it stands on</h2>
    <table>
    <thead><tr><th>Part<th>State</tr></thead>
    <tbody>
    {{#parts}}<tr><th scope="row">{{name}}</th>
    <td class="{{#isWell}}good{{/isWell}}{{^isWell}}bad{{/isWell}}"><bdi>{{words}}</bdi></td></tr>
    {{/parts}}
    </tbody></table>
    <h2>Missed, rejected, refused</h2>

    """ + events("troubles") + """
      <p class="faint">Version {{version}}, running since <time datetime="{{started.utc}}">{{started.utc}}</time>. This
      machine's clock: <time datetime="{{now}}">{{now}}</time></p>

      """

  private static let schedules = """
    <form action="/schedules" method="get" role="search">
    <label>Id begins with <input name="prefix" value="{{prefix}}" maxlength="200" dir="auto"></label>
    <label>State <select name="state">
    {{#states}}<option{{#isChosen}} selected{{/isChosen}}>{{value}}</option>{{/states}}</select></label>
    <label>Sort by <select name="sort">
    {{#sorts}}<option{{#isChosen}} selected{{/isChosen}}>{{value}}</option>{{/sorts}}</select></label>
    <button>Show</button>
    </form>
    {{#areEnded}}<p class="faint">Ended ones come the latest end first.</p>{{/areEnded}}
    {{#isEmpty}}<p>{{#nextLink}}None so far; there is more to search.{{/nextLink}}{{^nextLink}}None.{{/nextLink}}</p>{{/isEmpty}}
    {{^isEmpty}}<table>
    <thead><tr><th>Id<th>When<th>Next<th>Sent<th>State</tr></thead>
    <tbody>
    {{#schedules}}<tr><th scope="row"><a href="{{link}}"><bdi>{{id}}</bdi></a></th>
    <td>{{words}}<br><code><bdi>{{timing}}</bdi></code> <bdi>{{zone}}</bdi></td>
    <td>{{#next}}{{#local}}<bdi>{{local}}</bdi><br>{{/local}}<time datetime="{{utc}}">{{utc}}</time><br>{{relative}}{{/next}}\
    {{#ended}}ended <time datetime="{{utc}}">{{utc}}</time><br>{{relative}}{{/ended}}</td>
    <td>{{sent}}</td><td>{{state}} <bdi>{{reason}}</bdi></td></tr>
    {{/schedules}}
    </tbody></table>{{/isEmpty}}
    <p>{{#firstLink}}<a href="{{firstLink}}">First page</a>{{/firstLink}}
    {{#nextLink}}<a rel="next" href="{{nextLink}}">Next page</a>{{/nextLink}}</p>

    """

  private static let schedule = """
    {{#schedule}}<dl>
    <dt>State</dt><dd>{{state}}{{#reason}}: <bdi>{{reason}}</bdi>{{/reason}}</dd>
    <dt>When</dt><dd>{{words}} <code><bdi>{{timing}}</bdi></code></dd>
    <dt>Zone</dt><dd><bdi>{{zone}}</bdi></dd>
    {{#next}}<dt>Next</dt><dd>{{#local}}<bdi>{{local}}</bdi>, {{/local}}<time datetime="{{utc}}">{{utc}}</time>, {{relative}}</dd>{{/next}}
    {{#ended}}<dt>Ended</dt><dd><time datetime="{{utc}}">{{utc}}</time>, {{relative}}</dd>{{/ended}}
    <dt>Ticks sent</dt><dd>{{sent}}</dd>
    <dt>Missed, folded into the next</dt><dd>{{missed}}</dd>{{/schedule}}
    {{#lastTick}}<dt>Last tick</dt><dd>slot {{slot}}, sent {{at.utc}}, {{latenessMilliseconds}} ms late,\
    {{#confirmMilliseconds}} confirmed after {{confirmMilliseconds}} ms{{/confirmMilliseconds}}\
    {{^confirmMilliseconds}} not confirmed{{/confirmMilliseconds}}</dd>{{/lastTick}}
    </dl>
    {{#startedBy}}<p>Started by message <code><bdi>{{startedBy}}</bdi></code></p>{{/startedBy}}
    {{#zoneTrouble}}<p class="bad"><bdi>{{zoneTrouble}}</bdi></p>{{/zoneTrouble}}
    <h2>Next slots</h2>

    """ + slots("upcoming") + """
      <h2>Of late</h2>

      """ + events("recent") + """
      <h2>The Start event</h2>
      <pre dir="auto">{{startEvent}}</pre>
      {{#hasEnded}}<p class="faint">Without its payload, if it had one: that is dropped when a schedule has ended.</p>{{/hasEnded}}
      {{#canChange}}<form action="/schedule/stop" method="post">
      <input type="hidden" name="id" value="{{schedule.id}}">
      <label>Reason <input name="reason" maxlength="200" value="stopped on the page"></label>
      <button class="bad">Stop</button></form>
      <form action="/schedule/start" method="post">
      <input type="hidden" name="id" value="{{schedule.id}}"><button>Start again, counting from 0</button></form>{{/canChange}}

      """

  private static let recent =
    """
    <p>The last events that this process remembers, newest first.
    <span id="live" data-after="{{last}}"><a href="/recent">Reload</a></span></p>

    """ + events("events")

  private static let preview = """
    <form action="/preview" method="get">
    <label>Cron expression <input name="expression" value="{{expression}}" maxlength="256" placeholder="30 2 * * MON-FRI"></label>
    <label>Zone <input name="zone" value="{{zone}}" maxlength="64" placeholder="UTC"></label>
    <button>Show</button>
    </form>
    {{#error}}<p class="bad"><bdi>{{error}}</bdi></p>{{/error}}
    {{#words}}<p><b>{{words}}</b></p>{{/words}}
    {{#isAsked}}{{^error}}

    """ + slots("slots") + """
      <ul>{{#clockChanges}}<li>{{.}}</li>{{/clockChanges}}</ul>
      {{/error}}{{/isAsked}}

      """

  private static func slots(_ name: String) -> String {
    """
    <table><tbody>
    {{#\(name)}}<tr><td>{{#at}}{{#local}}<bdi>{{local}}</bdi><br>{{/local}}<time datetime="{{utc}}">{{utc}}</time>{{/at}}</td>
    <td>{{at.relative}}</td><td>{{clockChange}}</td></tr>
    {{/\(name)}}
    {{^\(name)}}<tr><td>None.</td></tr>{{/\(name)}}
    </tbody></table>

    """
  }

  private static func events(_ name: String) -> String {
    """
    <table>
    <thead><tr><th>Time<th>Event<th>Id<th>What</tr></thead>
    <tbody id="\(name)">
    {{#\(name)}}<tr><td><time datetime="{{at.utc}}">{{at.utc}}</time></td><td>{{kind}}</td>
    <td>{{#id}}<a href="{{link}}"><bdi>{{id}}</bdi></a>{{/id}}</td>
    <td>{{#slot}}slot {{slot}} {{/slot}}{{#latenessMilliseconds}}{{latenessMilliseconds}} ms late {{/latenessMilliseconds}}\
    {{#confirmMilliseconds}}confirmed in {{confirmMilliseconds}} ms {{/confirmMilliseconds}}<bdi>{{words}}</bdi></td></tr>
    {{/\(name)}}
    {{^\(name)}}<tr><td colspan="4">Nothing.</td></tr>{{/\(name)}}
    </tbody></table>

    """
  }
}
