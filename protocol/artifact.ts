/** Files that a run shows people: screenshots, reports. */
import { z } from "zod";
import { runIdSchema } from "./ids.ts";
import { timestampSchema } from "./time.ts";

export const ARTIFACT_LIMIT_BYTES = 10 * 1_024 ** 2;
/** Of one run. */
export const ARTIFACTS_LIMIT = 50;

export const ARTIFACT_ID = /^art_[0-9a-f]{24}$/;
export const artifactIdSchema = z
  .string()
  .regex(ARTIFACT_ID, 'must be "art_" and 24 hexadecimal digits')
  .meta({ id: "ArtifactId", description: "The id of a file that a run shows; opaque." });

const about = {
  name: z.string().min(1).max(200).meta({ description: "The file's name, without its folders." }),
  media_type: z
    .string()
    .max(100)
    .regex(/^[a-z]+\/[a-z0-9.+-]+$/),
  bytes: z.int().min(1).max(ARTIFACT_LIMIT_BYTES),
};
/** What a runner tells of a file before its bytes. */
export const sentArtifactSchema = z.object(about);
export type SentArtifact = z.infer<typeof sentArtifactSchema>;

export const artifactSchema = z
  .object({ id: artifactIdSchema, run_id: runIdSchema, ...about, at: timestampSchema })
  .meta({ id: "Artifact" });
export type Artifact = z.infer<typeof artifactSchema>;
export const artifactListSchema = z.object({ data: z.array(artifactSchema) }).meta({ id: "ArtifactList" });
export type ArtifactList = z.infer<typeof artifactListSchema>;

/** In the transcript. */
export const artifactEventFields = { artifact_id: artifactIdSchema, ...about };

/** The file's name, as `encodeURIComponent` writes it. */
export const ARTIFACT_NAME_HEADER = "x-artifact-name";

/** What browsers show by themselves; all else is saved as a file. */
export const SHOWN_IMAGES: readonly string[] = ["image/png", "image/jpeg", "image/gif", "image/webp"];
