/// The style sheet and the script, in the program itself.
enum Assets {
  static let style = """
    :root { color-scheme: light dark; --text: #1b1f24; --back: #fff; --faint: #59636e; --line: #d1d9e0; --good: #1a7f37;
      --bad: #c9151e; --link: #0969da; }
    @media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --back: #0d1117; --faint: #9198a1; --line: #3d444d;
      --good: #3fb950; --bad: #ff7b72; --link: #4493f8; } }
    * { box-sizing: border-box; }
    body { margin: 0; color: var(--text); background: var(--back); font: 16px/1.5 system-ui, sans-serif; }
    header, main { max-width: 72rem; margin: 0 auto; padding: .75rem 1rem; }
    header { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; border-bottom: 1px solid var(--line); }
    nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
    a { color: var(--link); }
    h1 { font-size: 1.5rem; overflow-wrap: anywhere; }
    h2 { font-size: 1.15rem; }
    table { display: block; max-width: 100%; overflow-x: auto; border-collapse: collapse; }
    th, td { padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); text-align: start;
      vertical-align: top; font-variant-numeric: tabular-nums; }
    th { font-weight: 600; }
    tbody th { max-width: 24rem; overflow-wrap: anywhere; font-weight: normal; }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.5rem; }
    dt { color: var(--faint); }
    dd { margin: 0; overflow-wrap: anywhere; }
    pre { padding: .75rem; border: 1px solid var(--line); white-space: pre-wrap; overflow-wrap: anywhere; }
    form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; margin: 1rem 0; }
    label { display: grid; color: var(--faint); }
    input, select, button { min-height: 2.5rem; padding: .25rem .75rem; font: inherit; color: var(--text);
      background: var(--back); border: 1px solid var(--line); border-radius: .35rem; max-width: 100%; }
    .good { color: var(--good); } .bad { color: var(--bad); } .faint { color: var(--faint); }
    @media (max-width: 40rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } }

    """

  /// Adds what happens to the page of recent events. Text is set as text, never as HTML.
  static let script = """
    "use strict";
    const live = document.getElementById("live");
    const body = document.getElementById("events");
    if (live && body && window.EventSource) {
      const source = new EventSource("/api/v1/events?after=" + encodeURIComponent(live.dataset.after));
      const cell = (row, text) => {
        const inner = document.createElement("bdi");
        inner.textContent = text;
        row.insertCell().append(inner);
        return inner;
      };
      source.onopen = () => { live.textContent = "Live."; };
      source.onerror = () => { live.textContent = "Not live: the connection is away, and is tried again."; };
      source.onmessage = (message) => {
        const event = JSON.parse(message.data);
        const row = body.insertRow(0);
        cell(row, event.at.utc);
        cell(row, event.kind);
        const id = cell(row, event.link ? "" : event.id || "");
        if (event.link) {
          const link = document.createElement("a");
          link.href = event.link;
          link.textContent = event.id;
          id.append(link);
        }
        const words = [];
        if (event.slot) words.push("slot " + event.slot);
        if (event.latenessMilliseconds !== undefined) words.push(event.latenessMilliseconds + " ms late");
        if (event.confirmMilliseconds !== undefined) words.push("confirmed in " + event.confirmMilliseconds + " ms");
        words.push(event.words);
        cell(row, words.join(" "));
        while (body.rows.length > 500) body.deleteRow(-1);
      };
    }

    """
}
