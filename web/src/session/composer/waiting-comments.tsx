/** Comments on lines of the changes that go with the next message. */
import { plural } from "../../format/amounts.ts";
import { Button } from "../../ui/button.tsx";
import type { LineComment } from "../diff/line-comments.ts";
import { Plain } from "../text/plain.tsx";
import styles from "./composer.module.css";

interface WaitingCommentsProps {
  comments: readonly LineComment[];
  onRemove: (id: string) => void;
}

export function WaitingComments({ comments, onRemove }: WaitingCommentsProps) {
  return (
    <section className={styles.comments} aria-label="Comments that go with the next message">
      <p>{plural(comments.length, "comment")} on lines will go with your message:</p>
      <ul>
        {comments.map(({ id, path, line, text }) => (
          <li key={id}>
            <code>
              <Plain text={path} />:{line}
            </code>{" "}
            <Plain text={text} />{" "}
            <Button
              variant="link"
              aria-label={`Remove the comment on line ${line} of ${path}`}
              onClick={() => onRemove(id)}
            >
              Remove
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
