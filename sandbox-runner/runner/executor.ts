/** What works on a lease, as its runner sees it: a process of this machine, or a container of an engine. */
import type { ExecutorNews, LeaseBrief } from "../attempt/executor-brief.ts";
import type { Expected } from "../prepared/start-shape.ts";

export interface Executor {
  readonly name: string;
  /** Settles when it and all that it has started are gone. Its folder may still be there. */
  readonly gone: Promise<void>;
  /** How it has ended. */
  readonly outcome: string;
  has(news: ExecutorNews): boolean;
  /** Tells it for what runs it may prepare an agent, as long as it has no lease; null for none. */
  expect(expected: Expected | null): void;
  /** Gives it its lease: once. */
  give(lease: LeaseBrief): void;
  /** Tells it to end; what does not is killed. */
  stop(): void;
  kill(): void;
  /** Removes its folder, once it is gone. Never rejects. */
  clear(): Promise<void>;
}
