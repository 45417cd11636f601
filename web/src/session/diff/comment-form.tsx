/** A comment on a line: written, and, until it goes with the next message, shown below its line. */
import { useEffect, useRef, useState } from "react";
import { Button } from "../../ui/button.tsx";
import { visibleText } from "../text/visible-text.ts";
import styles from "./comment-form.module.css";
import type { LineComment } from "./line-comments.ts";

const LIMIT = 4_000;

interface CommentFormProps {
  label: string;
  onSay: (text: string) => void;
  onClose: () => void;
}

export function CommentForm({ label, onSay, onClose }: CommentFormProps) {
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  const say = () => {
    if (text.trim() !== "") onSay(text.trim());
  };
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        say();
      }}
    >
      <textarea
        ref={field}
        className={styles.field}
        aria-label={label}
        placeholder="What should be different here?"
        rows={2}
        maxLength={LIMIT}
        value={text}
        onChange={({ target }) => setText(target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") {
            event.preventDefault();
            onClose();
          }
          if (event.key !== "Enter" || !(event.metaKey || event.ctrlKey)) return;
          event.preventDefault();
          say();
        }}
      />
      <div className={styles.actions}>
        <Button size="sm" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" size="sm" variant="primary" disabled={text.trim() === ""}>
          Add comment
        </Button>
      </div>
    </form>
  );
}

export function ShownComment({ comment, onRemove }: { comment: LineComment; onRemove: () => void }) {
  return (
    <div className={styles.comment}>
      <p className={styles.text}>{visibleText(comment.text)}</p>
      <p className={styles.state}>
        Goes with your next message.{" "}
        <Button variant="link" onClick={onRemove}>
          Remove
        </Button>
      </p>
    </div>
  );
}
