/** An agent's Markdown does nothing but be read, and is read in bounded time. */
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { Markdown } from "#web/src/session/text/markdown.tsx";
import { markdownChunks } from "#web/src/session/text/markdown-chunks.ts";

/** What the page gets, without class names and the buttons that copy. */
function drawn(text: string): string {
  return renderToStaticMarkup(createElement(Markdown, { text }))
    .replace(/ class="[^"]*"/g, "")
    .replace(/<button.*?<\/button><span role="status"><\/span>/gs, "")
    .replace(/^<div>(.*)<\/div>$/s, "$1");
}

/** All elements and attributes that come of a text, sorted. */
function partsOf(text: string): { elements: string[]; attributes: string[] } {
  const tags = drawn(text).match(/<[a-z][^>]*>/g) ?? [];
  const elements = tags.map((tag) => /^<([a-z0-9]+)/.exec(tag)?.[1] ?? "");
  const attributes = tags.flatMap((tag) => tag.match(/(?<= )[a-zA-Z:-]+(?==)/g) ?? []);
  return { elements: [...new Set(elements)].sort(), attributes: [...new Set(attributes)].sort() };
}

describe("Markdown", () => {
  it.each([
    ["**bold** _em_ ~~gone~~ `code`", "<p><strong>bold</strong> <em>em</em> <del>gone</del> <code>code</code></p>"],
    ["# One\n\n#### Four", "<h2>One</h2><h5>Four</h5>"],
    ["- a\n- b\n  1. c", '<ul><li>a</li><li>b<ol start="1"><li>c</li></ol></li></ul>'],
    ["- a\n\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"],
    ["4. four\n5. five", '<ol start="4"><li>four</li><li>five</li></ol>'],
    ["> quote", "<blockquote><p>quote</p></blockquote>"],
    ["a  \nb\n\n---", "<p>a<br/>b</p><hr/>"],
    ["- [x] done", '<ul><li><span role="img" aria-label="Done">☑</span>done</li></ul>'],
    [
      "[ok](https://example.com)",
      '<p><a href="https://example.com/" target="_blank" rel="noopener noreferrer nofollow">ok</a></p>',
    ],
    [
      "[a][b]\n\n[b]: https://example.com",
      '<p><a href="https://example.com/" target="_blank" rel="noopener noreferrer nofollow">a</a></p>',
    ],
    ["[bad](javascript:alert(1))", "<p><span>bad <code>javascript:alert(1)</code></span></p>"],
    ["[bad][b]\n\n[b]: javascript:alert(1)", "<p><span>bad <code>javascript:alert(1)</code></span></p>"],
    ["![alt](https://evil.test/p.png)", "<p><span>Image: alt <code>https://evil.test/p.png</code></span></p>"],
    ["![](https://evil.test/p.png)", "<p><span>Image <code>https://evil.test/p.png</code></span></p>"],
    ["<script>alert(1)</script>", "<span>&lt;script&gt;alert(1)&lt;/script&gt;</span>"],
    ["a <b onclick=x>b</b>", "<p>a <span>&lt;b onclick=x&gt;</span>b<span>&lt;/b&gt;</span></p>"],
    ["&lt;b&gt; &amp; &#60;", "<p>&lt;b&gt; &amp; &lt;</p>"],
    ["note[^1]\n\n[^1]: text", "<p>note<sup>[1]</sup></p><div><span>[1]</span><div><p>text</p></div></div>"],
    [
      "```ts\nconst a = '<b>';\n```",
      '<div><div><span>ts</span></div><pre tabindex="0"><code>const a = &#x27;&lt;b&gt;&#x27;;</code></pre></div>',
    ],
  ])("%j is drawn as %s", (text, html) => {
    expect(drawn(text)).toBe(html);
  });

  it("makes tables that scroll inside themselves", () => {
    expect(partsOf("| a | b |\n|:-:|--|\n| 1 | 2 |")).toEqual({
      elements: ["div", "table", "tbody", "td", "th", "thead", "tr"],
      attributes: ["aria-label", "role", "tabindex"],
    });
  });

  it("of any text consists of these elements and attributes", () => {
    const hostile = [
      "<img src=x onerror=alert(1)><iframe src=//evil.test></iframe><style>*{}</style><svg onload=x>",
      "<a href=\"javascript:x\" id=content class=y style='color:red'>x</a>",
      "[x](javascript:alert(1) \"title\") ![x](data:image/png;base64,AA== 'title')",
      "<javascript:alert(1)> <https://ok.test> mail@example.com www.example.com",
      "| a |\n|--|\n| <b>x</b> [y](javascript:x) |",
      "- [ ] <input autofocus onfocus=alert(1)>",
      "# <form action=//evil.test> {#id .class}",
      "```js onload=alert(1)\n</code></pre><script>alert(1)</script>\n```",
      "[^<b>]: note\n\ntext[^<b>]",
    ].join("\n\n");
    expect(partsOf(hostile)).toEqual({
      elements: "a code div h2 li p pre span sup table tbody td th thead tr ul".split(" "),
      attributes: ["aria-label", "href", "rel", "role", "tabindex", "target"],
    });
    expect(drawn(hostile).match(/ href="[^"]*"/g)).toEqual([
      ' href="https://ok.test/"',
      ' href="mailto:mail@example.com"',
      ' href="http://www.example.com/"',
    ]);
  });
});

/** The processor time of this thread alone, in microseconds. */
function costOf(text: string): number {
  const before = process.threadCpuUsage();
  expect(drawn(text)).not.toBe("");
  const { user, system } = process.threadCpuUsage(before);
  return user + system;
}

describe("text that is made to be slow", () => {
  const LENGTH = 12_000;
  /** The slowest of these takes about twice as much. */
  const BOUND = 20;
  const TRIES = 5;
  let leastUsual = Number.POSITIVE_INFINITY;
  const usual = () => costOf("Some words of a line.\n\n- a point\n\n".repeat(LENGTH / 34));

  it.each([
    "*",
    "_a",
    "**a",
    "~~a",
    "[",
    "]",
    "[a](",
    "![",
    "][",
    "`a",
    "> ",
    "- ",
    "1) ",
    "<a ",
    "<!--",
    "|a",
    "\n=",
    "\n- ",
    "[^1]",
    "a@b.c ",
    "&amp;",
    "\\",
  ])("out of %j is drawn with the work of usual text, times a few at most", (part) => {
    const text = part.repeat(LENGTH / part.length);
    if (leastUsual === Number.POSITIVE_INFINITY) leastUsual = Math.min(usual(), usual(), usual());
    let [times, least] = [BOUND, Number.POSITIVE_INFINITY];
    // A machine that is busy makes work look like more, now and then: only what always is too much is.
    for (let tried = 0; tried < TRIES && times >= BOUND; tried += 1) {
      least = Math.min(least, costOf(text));
      times = least / leastUsual;
    }
    expect(times).toBeLessThan(BOUND);
  });

  it.each([
    ["quotes", Array.from({ length: 150 }, (_, depth) => `${"> ".repeat(depth)}a`).join("\n")],
    ["lists", Array.from({ length: 150 }, (_, depth) => `${"  ".repeat(depth)}- a`).join("\n")],
    ["links in links", `${"[".repeat(300)}a${"](b)".repeat(300)}`],
    ["emphasis", `${"*a _b ".repeat(150)}${"c_ d*".repeat(150)}`],
  ])("and nested %s are drawn", (_name, text) => {
    expect(drawn(text)).toContain("a");
  });
});

describe("pieces", () => {
  const kinds = (text: string) => markdownChunks(text).map(({ kind }) => kind);
  const paragraph = `${"Some words of a paragraph. ".repeat(20)}\n\n`;

  it("hold all of the text", () => {
    const text = paragraph.repeat(30);
    const chunks = markdownChunks(text);
    expect(chunks.length).toBeGreaterThan(3);
    expect(
      chunks
        .map((chunk) => chunk.text)
        .join("")
        .replace(/\s/g, ""),
    ).toBe(text.replace(/\s/g, ""));
    expect(Math.max(...chunks.map((chunk) => chunk.text.length))).toBeLessThan(6_001);
  });

  it.each([
    ["nothing", "", []],
    ["empty lines", "\n\n \n", []],
    ["a short text", "Hello\n\n- a\n- b", ["markdown"]],
    ["a line that is too long to be read", "word ".repeat(3_000), ["plain"]],
    ["signs that want partners", "**a ".repeat(400), ["plain"]],
    ["quotes in quotes in quotes", `${"> ".repeat(9)}deep`, ["plain"]],
    ["quotes in quotes as people write them", "> > > three", ["markdown"]],
    [
      "long code between text",
      `Before\n\n\`\`\`ts\n${"code();\n".repeat(400)}\`\`\`\n\nAfter`,
      ["markdown", "code", "markdown"],
    ],
    ["long code without an end", `~~~\n${"code();\n".repeat(400)}`, ["code"]],
    ["short code", "```ts\na\n```", ["markdown"]],
  ])("of %s", (_name, text, expected) => {
    expect(kinds(text)).toEqual(expected);
  });

  it("are never cut within code", () => {
    const text = `${"word ".repeat(1_100)}\n\n\`\`\`\na\n\nb\n\`\`\`\nend`;
    expect(markdownChunks(text).at(-1)?.text).toBe("\n```\na\n\nb\n```\nend");
    expect(markdownChunks(`x${text}`.repeat(2)).every(({ text: one }) => one.split("```").length % 2 === 1)).toBe(true);
  });

  it("of code have its language, and none of its fences", () => {
    const code = "x = 1\n".repeat(500);
    expect(markdownChunks(`\`\`\`\`py title\n${code}\`\`\`\n\`\`\`\`\nAfter`)).toEqual([
      { kind: "code", text: `${code}\`\`\``, language: "py" },
      { kind: "markdown", text: "After", language: null },
    ]);
  });
});
