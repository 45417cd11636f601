/** The batch API of Git LFS, as its documentation has it: what is asked, and what is answered. Pure. */
import { z } from "zod";
import { isPublicName } from "#protocol/public-name.ts";
import { givenAddress } from "#protocol/web-address.ts";
import { beginningOf } from "#protocol/well-formed.ts";

/** git-lfs asks for a hundred at once. */
const OBJECTS_LIMIT = 1_000;
/** The longest an object can be that is passed on: 5 GiB, as GitHub takes at most. */
const SIZE_LIMIT = 5_368_709_120;

const objectSchema = z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.int().min(0).max(SIZE_LIMIT) });

export const batchRequestSchema = z.object({
  operation: z.enum(["download", "upload"]),
  transfers: z.array(z.string().max(64)).max(32).optional(),
  ref: z.object({ name: z.string().max(1_024) }).nullish(),
  objects: z.array(objectSchema).min(1).max(OBJECTS_LIMIT),
  hash_algo: z.literal("sha256").optional(),
});
export type BatchRequest = z.infer<typeof batchRequestSchema>;

/** Headers that can be sent. */
const headersSchema = z.record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/), z.string().regex(/^[^\0\r\n]*$/));
const actionSchema = z.object({ href: givenAddress(), header: headersSchema.nullish() });
const errorSchema = z.object({ code: z.int().optional(), message: z.string().optional() });

/** Of an upstream's answer what is of use; everything else is left out. */
export const batchAnswerSchema = z.object({
  transfer: z.literal("basic").optional(),
  objects: z.array(
    z.object({
      oid: z.string(),
      size: z.number().optional(),
      authenticated: z.boolean().nullish(),
      actions: z.object({ download: actionSchema, upload: actionSchema, verify: actionSchema }).partial().nullish(),
      error: errorSchema.nullish(),
    }),
  ),
});
export type BatchAnswer = z.infer<typeof batchAnswerSchema>;

const transferNames = ["download", "upload"] as const;
export type TransferName = (typeof transferNames)[number];

const placeSchema = z.object({ href: z.url(), header: headersSchema });
/** Where something is asked for, and by which headers. */
export type Place = z.infer<typeof placeSchema>;

/** One object's way, as the worker keeps it from the sandbox. */
export const transferSchema = placeSchema.extend({
  action: z.enum(transferNames),
  oid: z.string(),
  size: z.int().min(0),
  /** Where the server wants to be told that an upload is over. */
  verify: placeSchema.nullable(),
});
export type Transfer = z.infer<typeof transferSchema>;

export interface AnsweredObject {
  oid: string;
  size: number;
  authenticated?: true;
  actions?: Partial<Record<TransferName, { href: string }>>;
  error?: { code: number; message: string };
}

/**
 * @param authorize puts the credential into what is asked for at the server itself.
 * @param addressOf gives the address under which the sandbox has a transfer; null where there can be none.
 */
export async function answerBatch(
  request: BatchRequest,
  answer: BatchAnswer,
  origin: string,
  parts: {
    authorize(place: Place, isAuthenticated: boolean): Promise<Place>;
    addressOf(transfer: Transfer): Promise<string | null>;
  },
): Promise<{ transfer: "basic"; objects: AnsweredObject[]; hash_algo: "sha256" }> {
  const answers = new Map(answer.objects.map((object) => [object.oid, object]));
  const objects = request.objects.map(async ({ oid, size }): Promise<AnsweredObject> => {
    const found = answers.get(oid);
    if (found === undefined) return failed(oid, size, 404, "the server tells nothing of this object");
    if (found.error != null) return failed(oid, size, found.error.code ?? 500, found.error.message ?? "refused");
    // To verify an upload is the worker's part: git-lfs has the two addresses of the transfer alone led to its relay.
    const { verify, ...told } = found.actions ?? {};
    const hrefs = [verify, told[request.operation]].flatMap((place) => (place === undefined ? [] : [place.href]));
    if (!hrefs.every((href) => mayBeAsked(href, origin))) return failed(oid, size, 403, NOT_PUBLIC);
    const placed = (place: { href: string; header?: Record<string, string> | null | undefined }) =>
      parts.authorize({ href: place.href, header: place.header ?? {} }, found.authenticated === true);
    const way = told[request.operation];
    if (way === undefined) return { oid, size, authenticated: true };
    const transfer = {
      ...(await placed(way)),
      action: request.operation,
      oid,
      size,
      verify: verify === undefined ? null : await placed(verify),
    };
    const href = await parts.addressOf(transfer);
    if (href === null) return failed(oid, size, 500, "the server's address for this object is too long");
    return { oid, size, authenticated: true, actions: { [request.operation]: { href } } };
  });
  return { transfer: "basic", objects: await Promise.all(objects), hash_algo: "sha256" };
}

const NOT_PUBLIC = "the server names an address that is not public";

function failed(oid: string, size: number, code: number, message: string): AnsweredObject {
  return { oid, size, error: { code, message: beginningOf(message, 500) } };
}

/** Objects lie at the server itself, or in a store that everybody can reach by HTTPS: never at an address of the worker's own net. */
export function mayBeAsked(href: string, origin: string): boolean {
  if (!URL.canParse(href)) return false;
  const url = new URL(href);
  if (url.username !== "" || url.password !== "") return false;
  return url.origin === origin || (url.protocol === "https:" && url.port === "" && isPublicName(url.hostname));
}
