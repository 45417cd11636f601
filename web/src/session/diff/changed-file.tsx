/** A changed file: its name and counts, and, unfolded, its lines with their numbers, on each of which can be commented. */
import { memo, useId, useRef, useState, useSyncExternalStore } from "react";
import { ChevronRightIcon } from "../../ui/icons.tsx";
import { Tokens } from "../text/code/code.tsx";
import type { Token } from "../text/code/tokens.ts";
import { Plain } from "../text/plain.tsx";
import { visibleLine } from "../text/visible-text.ts";
import styles from "./changed-file.module.css";
import type { ShownFile } from "./changed-files.ts";
import { CommentForm, ShownComment } from "./comment-form.tsx";
import type { LineComment, LineComments } from "./line-comments.ts";
import type { Hunk, PatchLine } from "./patch.ts";
import { useLineTokens } from "./use-line-tokens.ts";

interface ChangedFileProps {
  file: ShownFile;
  isOpenAtFirst: boolean;
  of: { repository: string; branch: string | null };
  comments: LineComments;
}

export function ChangedFile({ file, isOpenAtFirst, of, comments }: ChangedFileProps) {
  const [isOpen, setOpen] = useState(isOpenAtFirst);
  const id = useId();
  return (
    <section className={styles.file} aria-label={visibleLine(file.path)}>
      <h3 className={styles.head}>
        <button
          type="button"
          aria-expanded={isOpen}
          aria-controls={isOpen ? id : undefined}
          onClick={() => setOpen(!isOpen)}
        >
          <span className={styles.chevron}>
            <ChevronRightIcon size={14} />
          </span>
          <span className={styles.path}>
            {file.previousPath !== null && (
              <>
                <Plain text={file.previousPath} /> →{" "}
              </>
            )}
            <Plain text={file.path} />
          </span>
          <Counts file={file} />
        </button>
      </h3>
      {isOpen && (
        <div id={id}>
          <Body file={file} of={of} comments={comments} />
        </div>
      )}
    </section>
  );
}

function Counts({ file: { additions, deletions } }: { file: ShownFile }) {
  if (additions === null || deletions === null) return <span className={styles.binary}>binary</span>;
  return (
    <span className={styles.counts}>
      <span className={styles.plus}>+{additions}</span> <span className={styles.minus}>−{deletions}</span>
    </span>
  );
}

function Body({ file, of, comments }: Omit<ChangedFileProps, "isOpenAtFirst">) {
  if (file.patch === null)
    return <p className={styles.note}>Its lines are not kept: the whole change was too large.</p>;
  if (file.patch.hunks.length === 0) {
    return <p className={styles.note}>{visibleLine(file.patch.notes.join("; ") || "Its lines are not kept.")}</p>;
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard
    <div className={styles.scroller} tabIndex={0}>
      <table className={styles.lines}>
        <caption className="visually-hidden">Lines of {visibleLine(file.path)}</caption>
        {file.patch.hunks.map((hunk, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: hunks stand in their order and never move
          <HunkLines key={index} hunk={hunk} path={file.path} of={of} comments={comments} />
        ))}
      </table>
    </div>
  );
}

interface HunkProps {
  hunk: Hunk;
  path: string;
  of: ChangedFileProps["of"];
  comments: LineComments;
}

const HunkLines = memo(function HunkLines({ hunk, path, of, comments }: HunkProps) {
  const [open, setOpen] = useState<string | null>(null);
  const given = useSyncExternalStore(comments.subscribe, comments.all);
  const tokens = useLineTokens(hunk, path);
  const [first] = hunk.lines;
  return (
    <tbody>
      <tr className={styles.hunk}>
        <td colSpan={3}>
          {`Lines from ${first?.after ?? first?.before ?? 1}`}
          {hunk.context !== "" && (
            <>
              {": "}
              <Plain text={hunk.context} />
            </>
          )}
        </td>
      </tr>
      {hunk.lines.map((line) => {
        const place = placeOf(line);
        const key = `${line.before} ${line.after}`;
        const said = given.filter((each) => isAt(each, of, path, place));
        return (
          <Line
            key={key}
            line={line}
            tokens={tokens.get(line)}
            said={said}
            isOpen={open === key}
            onOpen={() => setOpen(open === key ? null : key)}
            onSay={(text) => {
              comments.add({ ...of, path, ...place, code: line.text.slice(0, CODE_QUOTED), text });
              setOpen(null);
            }}
            onRemove={(id) => comments.remove(id)}
          />
        );
      })}
    </tbody>
  );
});

/** Of a longer line its beginning is quoted. */
const CODE_QUOTED = 300;

interface LineProps {
  line: PatchLine;
  /** Its text in colours. */
  tokens: readonly Token[] | undefined;
  said: readonly LineComment[];
  isOpen: boolean;
  onOpen: () => void;
  onSay: (text: string) => void;
  onRemove: (id: string) => void;
}

function Line({ line, tokens, said, isOpen, onOpen, onSay, onRemove }: LineProps) {
  const { side, line: number } = placeOf(line);
  const opener = useRef<HTMLButtonElement>(null);
  // Whoever has written below a line goes on from it.
  const back = () => opener.current?.focus();
  const label = `Comment on ${side === "before" ? "removed line" : "line"} ${number}`;
  const button = (
    <button ref={opener} type="button" aria-label={label} title={label} aria-expanded={isOpen} onClick={onOpen}>
      {number}
    </button>
  );
  return (
    <>
      <tr className={styles[line.kind]}>
        <td className={styles.number}>{side === "before" ? button : (line.before ?? "")}</td>
        <td className={styles.number}>{side === "after" && button}</td>
        <td className={styles.code}>
          <span className={styles.sign}>{SIGNS[line.kind]}</span>
          {tokens === undefined ? visibleLine(line.text) : <Tokens tokens={tokens} />}
        </td>
      </tr>
      {(isOpen || said.length > 0) && (
        <tr>
          <td colSpan={3} className={styles.comments}>
            <div className={styles.beside}>
              {said.map((comment) => (
                <ShownComment key={comment.id} comment={comment} onRemove={() => onRemove(comment.id)} />
              ))}
              {isOpen && (
                <CommentForm
                  label={label}
                  onSay={(text) => {
                    onSay(text);
                    back();
                  }}
                  onClose={() => {
                    onOpen();
                    back();
                  }}
                />
              )}
            </div>
          </td>
        </tr>
      )}
    </>
  );
}

const SIGNS = { same: "\u00a0", added: "+", removed: "−" };

function placeOf({ before, after }: PatchLine): Pick<LineComment, "line" | "side"> {
  return after === null ? { line: before ?? 0, side: "before" } : { line: after, side: "after" };
}

function isAt(
  comment: LineComment,
  of: ChangedFileProps["of"],
  path: string,
  place: Pick<LineComment, "line" | "side">,
): boolean {
  return (
    comment.path === path &&
    comment.line === place.line &&
    comment.side === place.side &&
    comment.repository === of.repository &&
    comment.branch === of.branch
  );
}
