/**
 * What every listener tells of its source: how it signs, how its requests are read, which fields they have, and how it is
 * set up.
 */
import type { VerificationFailure } from "#protocol/delivery.ts";
import type { SourceReading } from "#protocol/source-event.ts";
import type { GenericAuth, PubsubAuth } from "#protocol/triggers.ts";
import type { WebhookSource } from "#protocol/webhook-sources.ts";

/** A request as it arrived. The body is what was signed, byte for byte. */
export interface InboundRequest {
  headers: Headers;
  body: Uint8Array<ArrayBuffer>;
}

/** What the endpoint's trigger says of its sender. */
export interface EndpointSettings {
  auth: GenericAuth | null;
  pubsub: PubsubAuth | null;
  /** Whether what other programs write wakes too, where a source tells people from programs. */
  allowBots?: boolean;
  /** The endpoint's own address, as the sender knows it. */
  url: string;
}

export interface VerifyContext {
  /** The secrets in force: one, or two while a rotation overlaps. */
  secrets: readonly string[];
  settings: EndpointSettings;
  nowMs: number;
  /** Reads a document with the issuer's public keys (JWKS) from its address. @throws when it can't be read. */
  fetchKeys(url: string): Promise<unknown>;
}

export type Verification = { ok: true } | { ok: false; failure: VerificationFailure };

/** What the sender is answered at once: JSON, text, or nothing with 204. */
export interface ListenerAnswer {
  status: 200 | 204;
  contentType: "application/json" | "text/plain";
  body: string;
}

export type Reading =
  | { kind: "event"; event: SourceReading; answer?: ListenerAnswer }
  /** Understood, and nothing that a trigger can wait for. @see docs/triggers.md */
  | { kind: "ignored"; reason: string; answer?: ListenerAnswer }
  /** Not what the source sends, though it was signed: kept as a delivery, with the reason. */
  | { kind: "unreadable"; reason: string };

/**
 * A request that hands over the secret with which the source will sign, before any is known. Nobody has verified it: the
 * secret is in force only when the owner has seen and confirmed it.
 */
export interface Introduction {
  secret: string;
  answer: ListenerAnswer;
}

/** A press of a button under a message, which may be one of ours. */
export interface Press {
  /** What the button stands for. */
  token: string;
  kind: "telegram" | "discord";
  /** As people read who has pressed it: `telegram:7654321/ann`. */
  who: string;
  /** Has the message say what has become of the question, without buttons. */
  answered(question: string, outcome: string): ListenerAnswer;
  /** Tells whoever pressed it, and leaves the message as it is. */
  refused(why: string): ListenerAnswer;
}

export interface ListenerField {
  /** A name, or a dotted path into the payload, as filters use it. */
  field: string;
  what: string;
}

export interface Listener {
  source: WebhookSource;
  /** As the source calls itself. */
  title: string;
  /** Who draws the secret: a person copies it from one side to the other. `nobody` where keys are public. */
  secretFrom: "reveille" | "source" | "nobody";
  /** Fields that filters are most often about. */
  fields: readonly ListenerField[];
  /** Why a text can't be the source's secret; null when it can. */
  secretFault?(secret: string): string | null;
  /** Steps for a person, one each, in Markdown. @param url the endpoint's address. */
  setUp(url: string): readonly string[];
  /** Whether the body came from the source, and lately where the source signs a time. Never throws. */
  verify(request: InboundRequest, context: VerifyContext): Promise<Verification>;
  /** What a verified request says. Never throws. */
  read(request: InboundRequest, settings: EndpointSettings): Reading;
  /** Of a verified request: the press of a button that it tells of; null for everything else. Never throws. */
  press?(request: InboundRequest): Press | null;
  /** Whether a request, not signed yet, is how the source hands over its secret; asked only while none is set. */
  introduce?(request: InboundRequest): Introduction | null;
}
