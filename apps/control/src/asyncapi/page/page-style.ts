import { createHash } from 'node:crypto';

export const PAGE_STYLE = `
:root { color-scheme: light dark; --line: light-dark(#c8ccd2, #4a505a); --soft: light-dark(#f4f5f7, #23272e); }
* { box-sizing: border-box; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem; color: light-dark(#1b1f24, #e8eaed); background: light-dark(#fff, #16191d); }
h1, h2, h3 { line-height: 1.25; overflow-wrap: anywhere; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { background: var(--soft); border: 1px solid var(--line); padding: .75rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { border: 1px solid var(--line); padding: .4rem .6rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
thead th { background: var(--soft); }
ul { padding-left: 1.2rem; margin: 0; }
.note { border-left: .3rem solid #b25600; background: var(--soft); padding: .5rem .75rem; }
.scroll { overflow-x: auto; }
a { color: light-dark(#0b57d0, #8ab4f8); }
@media print { body { max-width: none; padding: 0; color: #000; background: #fff; } pre { white-space: pre-wrap; } thead { display: table-header-group; } tr, pre { break-inside: avoid; } nav { display: none; } }
`;

/** Nothing is loaded, run or framed: only this one style sheet counts. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(PAGE_STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
