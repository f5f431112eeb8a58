/// Icon, script and style of the pages, embedded in the binary.
enum Assets {
  /// A pocket watch.
  static let icon = """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" stroke="#b7791f" stroke-width="2.5">
    <circle cx="16" cy="4" r="2.5"/><path d="M16 6.5v3"/><circle cx="16" cy="19.5" r="10.5"/>
    <path d="M16 13v6.5l4 3" stroke-linecap="round" stroke-linejoin="round"/></svg>

    """

  /// Adds events to the page of recent events as they happen. Sets text only, never HTML.
  static let script = """
    "use strict";
    const live = document.getElementById("live");
    const body = document.getElementById("events");
    if (live && body && window.EventSource) {
      const element = (tag, text, className = "") => {
        const made = document.createElement(tag);
        made.textContent = text;
        if (className) made.className = className;
        return made;
      };
      const time = (instant) => {
        const made = element("time", instant.replace("T", " ").replace(/(\\.000)?Z$/, ""));
        made.dateTime = instant;
        return made;
      };
      const link = (event) => {
        const made = element("a", "");
        made.href = "/schedule?id=" + encodeURIComponent(event.id);
        made.append(element("bdi", event.id));
        return made;
      };
      const add = (row, label, content, className = "") => {
        const cell = row.insertCell();
        if (className) cell.className = className;
        if (!content) return;
        cell.dataset.label = label;
        cell.append(content);
      };
      const duration = (value) => {
        if (value === undefined) return undefined;
        const size = Math.abs(value);
        const rounded = (unit) => Math.sign(value) * Math.round(size / unit);
        const text = size < 1000 ? value + " ms" : size < 9950 ? rounded(100) / 10 + " s"
          : size < 119500 ? rounded(1000) + " s" : size < 7170000 ? rounded(60000) + " min" : rounded(3600000) + " h";
        return element("span", text);
      };
      const show = (event) => {
        const row = body.insertRow(0);
        add(row, "Time", time(event.at));
        add(row, "Event", element("span", event.kind, "badge " + event.kind));
        add(row, "Schedule", event.id && link(event), "schedule");
        add(row, "Slot", event.slot && time(event.slot));
        add(row, "Late", duration(event.latenessMilliseconds), "number");
        add(row, "Confirmed in", duration(event.confirmMilliseconds), "number");
        add(row, "Details", event.message && element("bdi", event.message));
      };
      const source = new EventSource("/api/v1/events?after=" + encodeURIComponent(live.dataset.after));
      source.onopen = () => { live.replaceChildren(element("span", "Live", "badge live")); };
      source.onerror = () => { live.replaceChildren(element("span", "Disconnected, reconnecting", "badge bad")); };
      source.onmessage = (message) => {
        for (const row of body.querySelectorAll("tr.none")) row.remove();
        show(JSON.parse(message.data));
        while (body.rows.length > 500) body.deleteRow(-1);
      };
    }

    """
}
