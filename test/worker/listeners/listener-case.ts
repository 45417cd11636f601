/** What one suite must know of a listener in order to try it: how its source signs, and what it really sends. */
import type { VerificationFailure } from "#protocol/delivery.ts";
import type { SourceReading } from "#protocol/source-event.ts";
import type { EndpointSettings, Listener, ListenerAnswer } from "#worker/inbound/sources/listener.ts";

export interface ListenerCase {
  listener: Listener;
  /** Tells two cases of one listener apart, for instance "bearer". */
  variant?: string;
  /** Pages of the source's documentation that headers, signature and bodies are taken from. */
  documentation: readonly string[];
  settings?: Partial<EndpointSettings>;
  /** Two of the source's form, as they are in force while a rotation overlaps. Ignored where nobody has a secret. */
  secrets: readonly [string, string];
  /** In place of the issuer's keys; by default none can be read. */
  fetchKeys?(url: string): Promise<unknown>;
  /** All headers by which the source is known, for this body at this time. The secret is one of `secrets`. */
  sign(body: Uint8Array<ArrayBuffer>, secret: string, atMs: number): Promise<Record<string, string>>;
  signature: SignatureForm;
  /** Whether a changed body is noticed: not so where the source shows a token only. */
  coversBody: boolean;
  /** How far off a signed time may be, in seconds; null where the source signs none. */
  windowSeconds: number | null;
  /** Where that is not how far back it may be. */
  pastSeconds?: number;
  /** What the source really sends. At least one event. */
  samples: readonly ListenerSample[];
  /** The forms in which a source surprises: each of the five, or why it never sends it. */
  sends: SourceSends;
  /** Signatures that the source's own documentation shows. */
  vectors?: readonly ListenerVector[];
  /** Refusals that only this source has, beside those that the suite makes by itself from `signature`. */
  refusals?: readonly ListenerRefusal[];
}

/** How the signature's header is spelt: the suite breaks it in every way that this form allows. */
export interface SignatureForm {
  header: string;
  /** Before the digest, for instance `sha256=`; empty where there is none. */
  prefix: string;
  /** Of the digest; `token` is a text without such a form, shown as it is. */
  encoding: "hex" | "base64" | "token";
  /** How long the digest is; 32 by default. */
  bytes?: number;
  /** Whether the source itself sends several signatures in one header. */
  isList?: boolean;
  /** What is told when the header is not there; `signature_missing` by default. */
  missing?: VerificationFailure;
  /** What is told of a wrong one of the right form; `signature_wrong` by default. */
  wrong?: VerificationFailure;
}

export interface ListenerSample {
  title: string;
  /** Beside those that `sign` gives. */
  headers?: Record<string, string>;
  /** The body as the source writes it. @param atMs the time at which it is sent, for sources that write it there. */
  body(atMs: number): string;
  reads: SampleReading;
}

/**
 * What any source has to be asked of: how it repeats, changes and takes back what it told, how much it sends at once, and how
 * oddly it may be written. A source that lacks one of the five is a type error; one that never sends it says so.
 */
export interface SourceSends {
  /** A second attempt at one delivery. */
  onRetry: RetrySample | NotSent;
  /** What it sends when what it told of is changed. */
  onEdit: CitedSample | NotSent;
  /** What it sends when what it told of is deleted. */
  onDelete: CitedSample | NotSent;
  /** Its longest body, or the one with the most parts. */
  largest: LargeSample | NotSent;
  /** The content type, escapes, characters or numbers that are least usual among what it sends. */
  rarestEncoding: CitedSample | NotSent;
}

/** A sample, and the page of the source's documentation from which it is known: the address of the page, not of its copy. */
export interface CitedSample extends ListenerSample {
  page: string;
}

export interface RetrySample extends CitedSample {
  /** The first attempt, as far as it differs from the second, which is the sample itself. */
  first?: Partial<Pick<ListenerSample, "headers" | "body">>;
  /**
   * How the second attempt is known to be the first again: by the id that the reading gives, by its body where a source has a
   * new id for each attempt, or not at all: then the source's page says that it wakes twice.
   */
  knownBy: "id" | "body" | "nothing";
}

export interface LargeSample extends CitedSample {
  /** What the body has at least: the source's own limit as its page tells it, or what can be reached by a person. */
  bytes: number;
}

/** A form that a source does not have. */
export interface NotSent {
  /** Why: in a sentence, as the page says it. */
  doesNotExist: string;
  page: string;
}

/** What `read` makes of a sample. Of an event the members that are named are compared, `context` by its parts. */
export type SampleReading =
  | {
      kind: "event";
      event: Partial<Omit<SourceReading, "payload" | "context">> & { name: string };
      /** Texts that the agent gets. */
      context: readonly string[];
      /** Texts that must be neither in the context nor in the payload. */
      absent?: readonly string[];
      /** Dotted paths that filters use, and what lies there. */
      paths?: Record<string, unknown>;
      answer?: ListenerAnswer;
    }
  | { kind: "ignored"; reason: RegExp; answer?: ListenerAnswer }
  | { kind: "unreadable"; reason: RegExp };

/** A request that the source's documentation shows with its signature. */
export interface ListenerVector {
  /** The page that shows it. */
  source: string;
  headers: Record<string, string>;
  body: string;
  secrets: readonly string[];
  /** When it was sent. */
  atMs: number;
}

export interface ListenerRefusal {
  title: string;
  /** What is changed of a good request's headers; null takes one away. */
  headers?: Record<string, string | null>;
  body?: string;
  /** In place of the case's two. */
  secrets?: readonly string[];
  settings?: Partial<EndpointSettings>;
  failure: VerificationFailure;
}
