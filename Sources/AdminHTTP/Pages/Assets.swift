/// What the pages are made of beside HTML, in the program itself.
enum Assets {
  /// A pocket watch, for the tab and the head of the pages.
  static let icon = """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" stroke="#b7791f" stroke-width="2.5">
    <circle cx="16" cy="4" r="2.5"/><path d="M16 6.5v3"/><circle cx="16" cy="19.5" r="10.5"/>
    <path d="M16 13v6.5l4 3" stroke-linecap="round" stroke-linejoin="round"/></svg>

    """

  /// Adds what happens to the page of recent events. Text is set as text, never as HTML.
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
        made.href = event.link;
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
      const show = (event) => {
        const row = body.insertRow(0);
        const duration = (value) => value !== undefined && element("span", value + " ms");
        add(row, "Time", time(event.at.utc));
        add(row, "Event", element("span", event.label, "badge " + event.kind));
        add(row, "Schedule", event.link && link(event), "schedule");
        add(row, "Slot", event.slot && time(event.slot));
        add(row, "Late", duration(event.latenessMilliseconds), "number");
        add(row, "Confirmed in", duration(event.confirmMilliseconds), "number");
        add(row, "What", event.words && element("bdi", event.words));
      };
      const source = new EventSource("/api/v1/events?after=" + encodeURIComponent(live.dataset.after));
      source.onopen = () => { live.replaceChildren(element("span", "Live", "badge live")); };
      source.onerror = () => { live.replaceChildren(element("span", "Not live, trying again", "badge bad")); };
      source.onmessage = (message) => {
        for (const row of body.querySelectorAll("tr.none")) row.remove();
        show(JSON.parse(message.data));
        while (body.rows.length > 500) body.deleteRow(-1);
      };
    }

    """
}
