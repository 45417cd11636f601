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
