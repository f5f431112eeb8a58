extension Assets {
  /// The style sheet: dark or light as the system prefers; tables become cards on a phone.
  static let style = """
    :root {
      color-scheme: light dark;
      --text: #1f2328; --faint: #59636e; --back: #fff; --panel: #f6f8fa; --line: #d8dee4; --link: #0550ae;
      --good: #116329; --good-back: #dafbe1; --bad: #a40e26; --bad-back: #ffebe9; 
      --note: #7d4e00; --note-back: #fff3cd;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --text: #e6edf3; --faint: #9198a1; --back: #0d1117; --panel: #161b22; --line: #30363d; --link: #6cb1ff;
        --good: #56d364; --good-back: #12351f; --bad: #ff9492; --bad-back: #4b1113;
        --note: #e3b341; --note-back: #3a2d08;
      }
    }
    * { box-sizing: border-box; }
    body { margin: 0; color: var(--text); background: var(--back);
      font: 14px/1.5 system-ui, "DejaVu Sans", sans-serif; }
    a { color: var(--link); text-decoration: none; }
    a:hover { text-decoration: underline; }
    bdi, code, pre { overflow-wrap: anywhere; }
    code, pre { font: 12.5px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }

    header { background: var(--panel); border-bottom: 1px solid var(--line); }
    header > div, main { max-width: 76rem; margin: 0 auto; padding: 0 1.25rem; }
    header > div { display: flex; flex-wrap: wrap; align-items: center; gap: 0 2rem; }
    .brand { padding: .6rem 0 .6rem 1.6rem; color: var(--text); font-weight: 600;
      background: url("/assets/icon.svg") left center / 1.25rem no-repeat; }
    nav { display: flex; flex-wrap: wrap; gap: 0 1.25rem; }
    nav a { padding: .6rem 0 calc(.6rem - 2px); border-bottom: 2px solid transparent; color: var(--faint); }
    nav a[aria-current] { color: var(--text); border-color: var(--note); font-weight: 600; }
    main { padding-bottom: 3rem; }
    h1 { margin: 1.25rem 0 1rem; font-size: 1.35rem; line-height: 1.3; font-weight: 600; overflow-wrap: anywhere; }
    h2 { margin: 1.75rem 0 .5rem; font-size: 1rem; font-weight: 600; }
    .title { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem .75rem; margin: 1.25rem 0 1rem; }
    .title h1 { margin: 0; }
    .title .badge { white-space: normal; }
    .tiles dd span { white-space: nowrap; }

    table { width: 100%; border-collapse: collapse; }
    th, td { padding: .35rem 1rem .35rem 0; border-bottom: 1px solid var(--line); text-align: start;
      vertical-align: top; }
    th:last-child, td:last-child { padding-right: 0; }
    thead th { padding-top: 0; color: var(--faint); font-size: .85em; font-weight: 500; white-space: nowrap; }
    tbody th { font-weight: 500; }
    tbody tr:hover { background: var(--panel); }
    td small, td code, tbody th small { display: block; color: var(--faint); font-weight: 400; }
    small { font-size: .9em; }
    time { white-space: nowrap; }
    .number { text-align: end; white-space: nowrap; }
    table, .tiles, .facts { font-variant-numeric: tabular-nums; }
    .schedule { min-width: 13rem; max-width: 22rem; }
    #parts th { white-space: nowrap; }
    .fit { width: auto; min-width: 36rem; max-width: 100%; }

    .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 0; }
    .tiles > div { display: flex; flex-direction: column; padding: .6rem .85rem; background: var(--panel);
      border: 1px solid var(--line); border-radius: .5rem; }
    .tiles dt { color: var(--faint); font-size: .9em; }
    .tiles dd { margin: 0; font-size: 1.35rem; font-weight: 600; line-height: 1.35; }
    .tiles dd.zero { color: var(--faint); font-weight: 400; }
    .tiles dd small { display: block; color: var(--faint); font-size: .85rem; font-weight: 400; line-height: 1.5; }
    .tiles time { white-space: normal; }
    .columns { display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 8fr); gap: 0 2.5rem; }
    .columns .schedule { min-width: 9.5rem; }
    .dot { display: inline-block; width: .6em; height: .6em; margin-right: .6em; border-radius: 50%;
      background: var(--good); }
    .dot.bad { background: var(--bad); }
    .facts { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.5rem; margin: 0; }
    .facts dt { color: var(--faint); }
    .facts dd { margin: 0; overflow-wrap: anywhere; }
    pre { margin: 0; padding: .75rem 1rem; white-space: pre-wrap; background: var(--panel);
      border: 1px solid var(--line); border-radius: .5rem; }

    .badge { display: inline-block; padding: 0 .55em; border-radius: 1em; font-size: .85em; font-weight: 500;
      white-space: nowrap; color: var(--faint); background: var(--panel); border: 1px solid var(--line); }
    .badge.good, .badge.live, .badge.started, .badge.resumed { color: var(--good); background: var(--good-back);
      border-color: transparent; }
    .badge.bad, .badge.rejected, .badge.nacked, .badge.expired { color: var(--bad); background: var(--bad-back);
      border-color: transparent; }
    .badge.missed, .badge.unroutable, .badge.paused { color: var(--note); background: var(--note-back);
      border-color: transparent; }
    .message { padding: .5rem .85rem; border-radius: .5rem; background: var(--panel); overflow-wrap: anywhere; }
    .message.good { color: var(--good); background: var(--good-back); }
    .message.bad { color: var(--bad); background: var(--bad-back); }
    .message.note { color: var(--note); background: var(--note-back); }
    .faint { color: var(--faint); } .wrong { color: var(--bad); } .clocks { color: var(--note); }

    form { display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: end; margin: 0 0 1rem; }
    label { display: grid; gap: .15rem; color: var(--faint); font-size: .9em; }
    .wide { flex: 1 1 16rem; max-width: 32rem; }
    input, select, button { min-height: 2.25rem; width: 100%; padding: .25rem .75rem; font: inherit; font-size: 14px;
      color: var(--text); background: var(--back); border: 1px solid var(--line); border-radius: .4rem; }
    .check { display: flex; align-items: center; gap: .5rem; min-height: 2.25rem; }
    .check input { width: auto; min-height: 0; }
    button { width: auto; padding: .25rem 1.1rem; background: var(--panel); font-weight: 500; cursor: pointer; }
    button:hover { border-color: var(--faint); }
    button.bad { color: var(--bad); }
    :focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
    summary { cursor: pointer; color: var(--link); }
    details form { margin: .75rem 0 0; }
    .pages { display: flex; gap: 1.25rem; margin: 1rem 0 0; }
    footer { margin-top: 2.5rem; padding-top: .75rem; border-top: 1px solid var(--line); color: var(--faint); }

    @media (max-width: 64rem) { .columns { grid-template-columns: minmax(0, 1fr); } }
    @media (max-width: 48rem) {
      .fit { min-width: 0; width: 100%; }
      thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
      tbody tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); }
      tbody th, tbody td { display: grid; grid-template-columns: 6rem 1fr; min-width: 0; max-width: none;
        padding: .1rem 0; border: 0; }
      tbody td > *, tbody th > * { grid-column: 2; justify-self: start; }
      tbody [data-label]::before { content: attr(data-label); grid-row: 1; grid-column: 1; color: var(--faint);
        font-weight: 400; }
      tbody .number { text-align: start; }
      tbody td:empty { display: none; }
      #parts th { display: block; }
      #parts td { display: block; padding-left: 1.2em; }
      .facts { grid-template-columns: 1fr; gap: 0; }
      .facts dd { margin-bottom: .5rem; }
      label, .wide { flex: 1 1 100%; max-width: none; }
      input, select { font-size: 16px; } /* smaller ones make a phone zoom in */
    }

    """
}
