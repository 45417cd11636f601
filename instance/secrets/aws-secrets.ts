/** Secrets in AWS Secrets Manager. */

import { z } from "zod";
import { ownValue } from "#protocol/own-value.ts";
import { type SecretSource, textFault } from "#protocol/secret.ts";
import { type Asking, askStore } from "./ask-store.ts";
import { type SecretSourceReader, type SourceAnswer, type SourceFault, sourceFault } from "./secret-source.ts";
import { type AwsCredentials, signAws } from "./sign-aws.ts";

export type AwsPlace = Extract<SecretSource, { aws: unknown }>["aws"];

export interface AwsAccess {
  credentials: AwsCredentials;
  /** Of secrets that name none. */
  region: string;
  /** In place of the region's public address; without a slash at the end. */
  url: string | null;
}

const foundSchema = z.object({ SecretString: z.string().optional() });
const failureSchema = z.object({ __type: z.string() });
/** What the service calls its failures, without what stands before `#`. Others of the status 400 refuse. */
const FAULTS: Record<string, SourceFault> = {
  ResourceNotFoundException: "missing",
  // It is to be deleted.
  InvalidRequestException: "missing",
  DecryptionFailure: "unreadable",
  ThrottlingException: "unreachable",
  InternalServiceError: "unreachable",
};

export class AwsSecrets implements SecretSourceReader<AwsPlace> {
  readonly #access: AwsAccess;
  readonly #asking: Asking;

  constructor(access: AwsAccess, asking: Asking) {
    this.#access = access;
    this.#asking = asking;
  }

  async read({ secret_id, key, region = this.#access.region }: AwsPlace): Promise<SourceAnswer> {
    const url = `${this.#access.url ?? addressOf(region)}/`;
    const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": "secretsmanager.GetSecretValue" };
    const body = JSON.stringify({ SecretId: secret_id });
    const order = {
      method: "POST",
      host: new URL(url).host,
      headers,
      body,
      region,
      service: "secretsmanager",
    } as const;
    const answer = await askStore(this.#asking, async () => {
      const signed = await signAws(order, this.#access.credentials, this.#asking.now());
      return { url, init: { method: "POST", headers: signed, body } };
    });
    if (answer === null) return sourceFault("unreachable", "AWS gave no answer in time, or none that can be read.");
    if (answer.status !== 200) return failureOf(answer.status, answer.body);
    const found = foundSchema.safeParse(answer.body);
    if (!found.success) return sourceFault("unreachable", "What answers at AWS's address is not Secrets Manager.");
    const { SecretString: text } = found.data;
    if (text === undefined) return sourceFault("unreadable", "What AWS has is binary.");
    return key === undefined ? asText(text) : valueIn(text, key);
  }
}

function addressOf(region: string): string {
  const domain = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return `https://secretsmanager.${region}.${domain}`;
}

function failureOf(status: number, body: unknown): SourceAnswer {
  const failure = failureSchema.safeParse(body);
  const name = failure.success ? (failure.data.__type.split("#").at(-1) ?? "").slice(0, 100) : "";
  const fault = ownValue(FAULTS, name) ?? (status === 400 || status === 403 ? "refused" : "unreachable");
  return sourceFault(fault, `AWS answers ${/^[A-Za-z]+$/.test(name) ? name : status}.`);
}

function valueIn(text: string, key: string): SourceAnswer {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    document = null;
  }
  if (typeof document !== "object" || document === null)
    return sourceFault("unreadable", "What AWS has is no JSON object.");
  if (!Object.hasOwn(document, key)) return sourceFault("missing", "AWS's document does not have the key.");
  return asText(Reflect.get(document, key));
}

function asText(value: unknown): SourceAnswer {
  const wrong = textFault(value);
  return typeof value === "string" && wrong === null
    ? { ok: true, value }
    : sourceFault("unreadable", `What AWS has ${wrong}.`);
}
