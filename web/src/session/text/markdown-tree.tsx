/**
 * Draws a Markdown tree. Only what is named here reaches the page: no attribute, id or style comes from the text, HTML is text,
 * an image is its description and its address, and a link leads to a web or mail address or nowhere.
 */
import { Fragment, type ReactNode } from "react";
import { classNames } from "../../ui/class-names.ts";
import { CodeBlock } from "./code-block.tsx";
import { linkAddress } from "./link-address.ts";
import styles from "./markdown.module.css";
import type { Definitions, Leaf, MarkdownRoot } from "./parse-markdown.ts";

type Block = MarkdownRoot["children"][number];
type BlockOf<Type extends Block["type"]> = Extract<Block, { type: Type }>;

interface TreeProps {
  nodes: readonly Block[];
  definitions: Definitions;
}

export function MarkdownTree({ nodes, definitions }: TreeProps) {
  return nodes.map((node, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a text grows at its end, so its parts keep their places
    <Node key={index} node={node} definitions={definitions} />
  ));
}

function Node({ node, definitions }: { node: Block; definitions: Definitions }): ReactNode {
  const inner = "children" in node ? <MarkdownTree nodes={node.children} definitions={definitions} /> : null;
  switch (node.type) {
    case "text":
      return node.value;
    case "paragraph":
      return <p>{inner}</p>;
    case "heading":
      return <Heading depth={node.depth}>{inner}</Heading>;
    case "emphasis":
      return <em>{inner}</em>;
    case "strong":
      return <strong>{inner}</strong>;
    case "delete":
      return <del>{inner}</del>;
    case "inlineCode":
      return <code>{node.value}</code>;
    case "code":
      return <CodeBlock text={node.value} language={node.lang ?? null} />;
    case "blockquote":
      return <blockquote>{inner}</blockquote>;
    case "break":
      return <br />;
    case "thematicBreak":
      return <hr />;
    case "list":
      return <List node={node} definitions={definitions} />;
    case "table":
      return <Table node={node} definitions={definitions} />;
    case "link":
      return <WebLink address={node.url}>{inner}</WebLink>;
    case "linkReference":
      return <WebLink address={definitions.get(node.identifier)}>{inner}</WebLink>;
    case "image":
      return <Image address={node.url} description={node.alt} />;
    case "imageReference":
      return <Image address={definitions.get(node.identifier)} description={node.alt} />;
    case "footnoteReference":
      return <sup>[{node.label ?? node.identifier}]</sup>;
    case "footnoteDefinition":
      return (
        <div className={styles.footnote}>
          <span>[{node.label ?? node.identifier}]</span>
          <div>{inner}</div>
        </div>
      );
    case "definition":
      return null;
    default:
      return <span className={styles.html}>{(node as Leaf).value ?? inner}</span>;
  }
}

/** Headings begin below that of the page. */
function Heading({ depth, children }: { depth: number; children: ReactNode }) {
  if (depth === 1) return <h2 className={styles.h1}>{children}</h2>;
  if (depth === 2) return <h3 className={styles.h2}>{children}</h3>;
  if (depth === 3) return <h4 className={styles.h3}>{children}</h4>;
  return <h5 className={styles.h3}>{children}</h5>;
}

function List({ node, definitions }: { node: BlockOf<"list">; definitions: Definitions }) {
  const items = node.children.map((item, index) => {
    const isTight = !node.spread && !item.spread;
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: entries keep their places
      <li key={index} className={item.checked === null || item.checked === undefined ? undefined : styles.task}>
        {item.checked !== null && item.checked !== undefined && <Check isDone={item.checked} />}
        {item.children.map((child, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: as above
          <Fragment key={at}>
            {isTight && child.type === "paragraph" ? (
              <MarkdownTree nodes={child.children} definitions={definitions} />
            ) : (
              <Node node={child} definitions={definitions} />
            )}
          </Fragment>
        ))}
      </li>
    );
  });
  return node.ordered ? <ol start={node.start ?? 1}>{items}</ol> : <ul>{items}</ul>;
}

function Check({ isDone }: { isDone: boolean }) {
  return (
    <span role="img" aria-label={isDone ? "Done" : "Not done"} className={styles.check}>
      {isDone ? "☑" : "☐"}
    </span>
  );
}

function Table({ node, definitions }: { node: BlockOf<"table">; definitions: Definitions }) {
  const [head, ...rows] = node.children;
  const cells = (row: typeof head, Cell: "th" | "td") =>
    row?.children.map((cell, column) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: columns keep their places
      <Cell key={column} className={classNames(styles[node.align?.[column] ?? "left"])}>
        <MarkdownTree nodes={cell.children} definitions={definitions} />
      </Cell>
    ));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard
    // biome-ignore lint/a11y/useSemanticElements: it is no group of fields
    <div role="group" className={styles.tableFrame} tabIndex={0} aria-label="Table">
      <table>
        <thead>
          <tr>{cells(head, "th")}</tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows keep their places
            <tr key={index}>{cells(row, "td")}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function WebLink({ address, children }: { address: string | undefined; children: ReactNode }) {
  const href = linkAddress(address);
  if (href === null) {
    return (
      <span>
        {children} {address !== undefined && <code>{address}</code>}
      </span>
    );
  }
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

function Image({ address, description }: { address: string | undefined; description: string | null | undefined }) {
  return (
    <span className={styles.image}>
      Image{description ? `: ${description}` : ""} {address !== undefined && <code>{address}</code>}
    </span>
  );
}
