/// The style rules of every page: light, dark and print.
enum PageStyle {
  /// The whole style sheet.
  static var sheet: Markup {
    var sheet = Markup(literal: rules)
    for scale in ColourScale.allCases { sheet += scale.styleSheet }
    return sheet
  }

  private static let rules: StaticString = """
    :root {
      color-scheme: light dark;
      --page: #ffffff; --ink: #16202a; --soft: #52606d; --line: #d5dce3; --panel: #f4f7f9;
      --method-surgeon: #0f5ea8; --method-kobd: #b45309; --method-lobd: #0b7a63;
      --method-magnitude: #7a5195; --dense: #16202a;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --page: #11171d; --ink: #e6edf3; --soft: #a3b1bf; --line: #303c48; --panel: #19222b;
        --method-surgeon: #58a6e8; --method-kobd: #f0a04b; --method-lobd: #3fc3a4;
        --method-magnitude: #c39ae0; --dense: #e6edf3;
      }
    }
    * { box-sizing: border-box; }
    body {
      margin: 0 auto; max-width: 68rem; padding: 1.5rem 1.25rem 3rem; background: var(--page);
      color: var(--ink); font: 1rem/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
    }
    h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .3rem; overflow-wrap: anywhere; }
    h2 { font-size: 1.2rem; margin: 2.4rem 0 .4rem; line-height: 1.3; overflow-wrap: anywhere; }
    h3 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
    p { margin: .4rem 0 .8rem; max-width: 46rem; overflow-wrap: anywhere; }
    .soft { color: var(--soft); }
    .lead { font-size: 1.1rem; }
    .cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr));
      gap: .75rem; margin: 1.2rem 0; padding: 0; list-style: none; }
    .cards li { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem;
      padding: .7rem .9rem; }
    .cards b { display: block; font-size: 1.3rem; line-height: 1.3; white-space: nowrap;
      font-variant-numeric: tabular-nums; }
    .cards span { display: block; color: var(--soft); font-size: .875rem; line-height: 1.35; }
    figure { margin: .8rem 0 1.2rem; }
    figcaption { color: var(--soft); font-size: .875rem; max-width: 46rem; margin-top: .4rem; }
    .scroll { overflow: auto; max-width: 100%; }
    .tall { max-height: 36rem; border-block: 1px solid var(--line); }
    :focus-visible { outline: 2px solid var(--method-surgeon); outline-offset: 2px; }
    svg { display: block; font: 12px system-ui, "Segoe UI", Roboto, sans-serif; }
    svg text { fill: var(--ink); font-variant-numeric: tabular-nums; }
    svg .label { fill: var(--soft); }
    svg .number { fill: currentColor; font-size: 11px; pointer-events: none; }
    svg .figure { font-size: 11px; }
    svg .cell:hover rect, svg .bar:hover { stroke: var(--ink); stroke-width: 2; }
    svg .axis { stroke: var(--line); }
    svg .dense { stroke: var(--dense); stroke-width: 1.5; stroke-dasharray: 4 3; }
    svg .method-surgeon { fill: var(--method-surgeon); }
    svg .method-kobd { fill: var(--method-kobd); }
    svg .method-lobd { fill: var(--method-lobd); }
    svg .method-magnitude { fill: var(--method-magnitude); }
    svg .curve { stroke: var(--method-surgeon); stroke-width: 2; fill: none; }
    svg .held-out { fill: var(--method-kobd); }
    svg .tear { stroke: var(--page); stroke-width: 3; fill: none; }
    table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
    th, td { padding: .3rem .7rem; text-align: right; white-space: nowrap;
      border-bottom: 1px solid var(--line); }
    th { font-weight: 600; }
    thead th { white-space: normal; min-width: 5rem; }
    thead th { position: sticky; top: 0; background: var(--page); vertical-align: bottom;
      box-shadow: inset 0 -2px var(--line); }
    tbody th { font-weight: 400; }
    .text { text-align: left; }
    .name, thead th.name { max-width: 24rem; white-space: normal; overflow-wrap: anywhere;
      min-width: 16rem; }
    tr.strong > * { font-weight: 600; }
    dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .15rem 1.2rem;
      margin: .5rem 0; }
    dt { color: var(--soft); }
    dd { margin: 0; overflow-wrap: anywhere; }
    li { overflow-wrap: anywhere; }
    section.report { border-top: 2px solid var(--line); margin-top: 2.4rem; }
    footer { color: var(--soft); font-size: .8rem; margin-top: 3rem; border-top: 1px solid
      var(--line); padding-top: .6rem; overflow-wrap: anywhere; }
    @media (max-width: 40rem) {
      .cards b { font-size: 1.1rem; }
      .name, thead th.name { min-width: 10rem; }
      th, td { padding: .3rem .45rem; }
    }
    @media print {
      .cards b { font-size: 1.1rem; }
      .cards { grid-template-columns: repeat(5, 1fr); gap: .4rem; }
      .cards li { padding: .4rem .5rem; }
      :root { color-scheme: light; --page: #ffffff; --ink: #000000; --soft: #444444;
        --line: #bbbbbb; --panel: #ffffff; --dense: #000000; --method-surgeon: #0f5ea8;
        --method-kobd: #b45309; --method-lobd: #0b7a63; --method-magnitude: #7a5195; }
      body { max-width: none; padding: 0; font-size: 10pt; }
      .scroll, .tall { overflow: visible; max-height: none; border: 0; }
      svg { max-width: 100%; height: auto; }
      svg, .cards li { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
      table { font-size: 7.5pt; width: 100%; }
      th, td { padding: .15rem .3rem; }
      thead th { min-width: 0; }
      .name, thead th.name { min-width: 20em; }
      thead th { position: static; }
      figure, tr, .cards li { break-inside: avoid; }
      h2, h3 { break-after: avoid; }
    }

    """
}

extension ColourScale {
  /// The rules of the scale's steps; paper is always light.
  fileprivate var styleSheet: Markup {
    var sheet = styleRules(isDark: false)
    sheet += Markup(literal: "@media screen and (prefers-color-scheme: dark) {\n")
    sheet += styleRules(isDark: true)
    sheet += Markup(literal: "}\n")
    return sheet
  }
}
