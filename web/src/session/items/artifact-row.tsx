/** A file that the run shows: an image as it is, all else as a link. */
import type { ArtifactItem } from "../item-types.ts";
import { Plain } from "../text/plain.tsx";
import styles from "./artifact-row.module.css";

const KIB = 1_024;

export function ArtifactRow({ item: { sessionId, artifactId, name, isImage, bytes } }: { item: ArtifactItem }) {
  const address = `/api/v1/sessions/${encodeURIComponent(sessionId)}/artifacts/${encodeURIComponent(artifactId)}`;
  return (
    <figure className={styles.file}>
      {isImage && <img src={address} alt={name} loading="lazy" className={styles.image} />}
      <figcaption>
        Shows{" "}
        <a href={address} target="_blank" rel="noreferrer">
          <Plain text={name} />
        </a>{" "}
        <span className={styles.size}>{bytes < KIB ? `${bytes} B` : `${Math.ceil(bytes / KIB)} KiB`}</span>
      </figcaption>
    </figure>
  );
}
