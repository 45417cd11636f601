/** The style of the API's page, in the web app's colours: a test holds them and `web/src/styles/tokens.css` together. */

export const DOCS_STYLE = `:root {
  color-scheme: light dark;
  --bg: light-dark(#faf9f7, #121210);
  --surface: light-dark(#ffffff, #1a1917);
  --surface-sunken: light-dark(#f4f2ef, #161513);
  --border: light-dark(#e6e3de, #2b2926);
  --text: light-dark(#1d1b18, #f0eeea);
  --text-soft: light-dark(#54504a, #b9b5ad);
  --text-quiet: light-dark(#68645d, #99958c);
  --accent-text: light-dark(#8f4a07, #f4b968);
  --accent-soft: light-dark(#fdf1dd, #33260f);
  --focus: light-dark(#b4630a, #f2a33a);
  --font-sans: "Inter Variable", ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  --font-mono: "JetBrains Mono Variable", ui-monospace, "SF Mono", Menlo, Consolas, monospace;
}
* { box-sizing: border-box; }
body { font: 0.875rem/1.5 var(--font-sans); margin: 0; background: var(--bg); color: var(--text); }
.frame { display: grid; grid-template-columns: minmax(0, 1fr); max-width: 84rem; margin: 0 auto; }
main { padding: 1.5rem clamp(1rem, 3vw, 2rem) 4rem; min-width: 0; }
nav { padding: 1rem clamp(1rem, 3vw, 2rem) 0; font-size: 0.8125rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav summary { font-weight: 530; }
nav li a { display: block; padding: 0.25rem 0; }
nav summary { padding: 0.25rem 0; }
nav details li { padding-inline-start: 1rem; }
nav li { overflow-wrap: anywhere; }
main > p, section p { max-width: 44rem; }
h1 { font-size: 1.375rem; line-height: 1.3; margin: 0 0 0.5rem; }
h2 { font-size: 1rem; margin: 2.5rem 0 0.75rem; padding-top: 1rem; border-top: 1px solid var(--border); }
h3 { font-size: 0.875rem; margin: 0; overflow-wrap: anywhere; }
a { color: var(--accent-text); }
h3 a { color: inherit; text-decoration: none; }
h3 a:hover { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
code, pre { font-family: var(--font-mono); font-size: 0.8125rem; }
code { overflow-wrap: anywhere; }
pre { overflow-x: auto; margin: 0.75rem 0; padding: 0.75rem 1rem; border: 1px solid var(--border); border-radius: 7px; background: var(--surface-sunken); }
section, main > details { margin-block: 0.75rem; padding: 1rem; border: 1px solid var(--border); border-radius: 11px; background: var(--surface); }
:target { border-color: var(--focus); }
section p, section ul { margin: 0.5rem 0 0; color: var(--text-soft); }
section ul { padding-inline-start: 1.25rem; }
section details { margin-top: 0.5rem; }
summary { cursor: pointer; }
.method { display: inline-block; margin-inline-end: 0.5rem; padding: 0 0.375rem; border-radius: 5px; background: var(--accent-soft); color: var(--accent-text); }
.quiet { color: var(--text-quiet); }
@media (width < 60rem) {
  nav { columns: 9rem; }
}
@media (width >= 60rem) {
  .frame { grid-template-columns: 17rem minmax(0, 1fr); }
  nav { position: sticky; top: 0; max-height: 100vh; overflow-y: auto; padding-block: 1.5rem; }
}
`;
