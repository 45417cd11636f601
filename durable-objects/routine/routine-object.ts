/**
 * One routine, as the API and the clock ask it: in the name of an id, which `RoutineOpening` compares with what the routine
 * owns. A thin shell.
 */
import type { DueAnswer, EncryptedAnew, EndpointAnswer, HandedOver, SecretAnswer } from "#instance/object-contracts.ts";
import { hashSecret, makeSecret } from "#instance/secrets.ts";
import type { Actor } from "#protocol/actor.ts";
import type { Page, PageRequest } from "#protocol/api.ts";
import type { DeliveryOutcome } from "#protocol/delivery.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { OwnedId } from "#protocol/ids.ts";
import type { Admission, Occurrence, Wake } from "#protocol/occurrence.ts";
import type { Revision, Routine, RoutineInput, RoutinePatch } from "#protocol/routine.ts";
import type { ListedRun, Run } from "#protocol/run.ts";
import type { SourceEvent } from "#protocol/source-event.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import type { SeenItem, WatchChange } from "#protocol/watch.ts";
import { gateInForce } from "#rules/wake-gate/gate-in-force.ts";
import type { Assembled } from "./assemble.ts";
import { definitionFault } from "./changes/change-definition.ts";
import type { RoutineRow } from "./definition/definition-store.ts";
import type { Bringer } from "./definition/endpoint-secrets.ts";
import type { RepositoryLesson } from "./definition/repository-ids.ts";
import { ObjectForWork } from "./object-for-work.ts";
import { found } from "./opening.ts";
import { readEvents } from "./transcript/transcript-page.ts";
import type { Access } from "./viewers/access.ts";
import type { ShownToken } from "./wakes/fire-access.ts";

export class RoutineObject extends ObjectForWork {
  /** Settles when what has arrived has been read; null while no fire waits for that. */
  #othersHaveCome: Promise<void> | null = null;

  /** Creates the routine in this object. @param id its own from then on. @param actor who, for revisions. */
  async create(id: OwnedId, input: RoutineInput, actor: Actor): Promise<Result<Routine>> {
    const fault = definitionFault(input, Date.now());
    if (fault !== null) return fault;
    const opened = await this.opening.open();
    return opened.ok ? opened.value.changes.create({ id, input, actor }) : opened;
  }

  read(id: OwnedId): Result<Routine> {
    return this.opening.with(id, ({ entry }, routine) => success(entry.view(routine, Date.now())));
  }

  async change(id: OwnedId, patch: RoutinePatch, actor: Actor): Promise<Result<Routine>> {
    return this.opening.with(id, ({ changes, definitionChanges }, routine) =>
      changes.change(routine, (tx) => definitionChanges.change(tx, { routine, patch, actor })),
    );
  }

  /** Pauses the routine. What came due before still fires. */
  async pause(id: OwnedId, reason: string | null): Promise<Result<Routine>> {
    return this.#changeStatus(id, { status: "paused", pausedReason: reason, pausedBy: null });
  }

  /** Resumes the routine. What came due while it was paused is not made up for. */
  async resume(id: OwnedId): Promise<Result<Routine>> {
    return this.#changeStatus(id, { status: "active", pausedReason: null, pausedBy: null });
  }

  /** Revokes the token, takes the routine out of every list, cancels its runs, and leaves a tombstone. */
  async remove(id: OwnedId): Promise<Result<null>> {
    return this.opening.with(id, ({ changes }, routine) => changes.remove(routine));
  }

  async writeIndexAgain(id: OwnedId): Promise<Result<{ runs: number }>> {
    return this.opening.with(id, ({ index }, routine) => index.writeIndexAgain(routine.id));
  }

  /** Encrypts the secrets that the routine has with the instance's present key. */
  async encryptAnew(id: OwnedId): Promise<Result<EncryptedAnew>> {
    return this.opening.with(id, ({ endpoints }) => endpoints.encryptAnew());
  }

  revisions(id: OwnedId, page: PageRequest): Result<Page<Revision>> {
    return this.opening.with(id, ({ definitions }) => success(definitions.list(page)));
  }

  /** A new token for the fire endpoint; the one before is revoked. */
  async issueToken(id: OwnedId, mayRead: boolean): Promise<Result<{ token: string }>> {
    const token = makeSecret("fire_token");
    const hash = await hashSecret(token);
    return this.opening.with(id, ({ changes }) => changes.issueToken(token, hash, mayRead));
  }

  async revokeToken(id: OwnedId): Promise<Result<Routine>> {
    return this.opening.with(id, ({ changes }, routine) => changes.revokeToken(routine));
  }

  /** The API trigger. @param token as it was presented. @param isRepeat of a call that was made before, and counted. */
  async fire(id: OwnedId, event: Wake, token: string, isRepeat = false): Promise<Result<Admission>> {
    const open = this.opening.routine(id);
    if (!open.ok) return open;
    // Before anything is decided. What is written in one turn of the object is one commit, for which each would wait by itself.
    if (event.among_others === true || this.#othersHaveCome !== null) await this.#untilOthersHaveCome();
    const mayFire = await this.#withToken(id, token, ({ fireAccess }, routine, shown) =>
      fireAccess.admit(routine, shown, isRepeat, Date.now()),
    );
    return mayFire.ok ? await this.#fireThroughGate(id, event, isRepeat) : mayFire;
  }

  #untilOthersHaveCome(): Promise<void> {
    this.#othersHaveCome ??= scheduler.wait(0).finally(() => {
      this.#othersHaveCome = null;
    });
    return this.#othersHaveCome;
  }

  /** A fire waits for the answer of the routine's gate. Nothing is known of it meanwhile: whoever fires hears what came of it. */
  async #fireThroughGate(id: OwnedId, event: Wake, isRepeat: boolean): Promise<Result<Admission>> {
    const asking = this.opening.with(id, ({ work, wakes, toGate }, routine) => {
      // Most routines have none: a fire needs no transaction to find that out.
      const gate =
        gateInForce(routine) === null ? null : work.change((tx) => wakes.gateOf(tx, routine, event, isRepeat));
      return success(gate === null ? null : { gate, answer: () => toGate.askForFire(routine.id, gate) });
    });
    if (!asking.ok) return asking;
    const asked = asking.value === null ? null : { ...asking.value, answer: await asking.value.answer() };
    return this.opening.with(id, ({ work, wakes }, routine) =>
      work.change((tx) => wakes.fire(tx, routine, event, isRepeat, null, asked)),
    );
  }

  /** Whether a token is this routine's, for a fire that goes no further. */
  async checkToken(id: OwnedId, token: string): Promise<Result<null>> {
    return await this.#withToken(id, token, ({ fireAccess }, routine, shown) => fireAccess.checkToken(routine, shown));
  }

  async #withToken<Value>(
    id: OwnedId,
    token: string,
    ask: (parts: Assembled, routine: RoutineRow, shown: ShownToken) => Result<Value>,
  ): Promise<Result<Value>> {
    const opened = this.opening.with(id, ({ fireAccess }) => success(fireAccess.shown(token)));
    if (!opened.ok) return opened;
    const shown = await opened.value;
    return this.opening.with(id, (parts, routine) => ask(parts, routine, shown));
  }

  /** A run of the routine, for whoever has a token that reads. */
  async readRunByToken(id: OwnedId, token: string, runId: string): Promise<Result<Run>> {
    return await this.#withToken(id, token, ({ fireAccess, engine }, routine, shown) => {
      const mayRead = fireAccess.admitReader(routine, shown, Date.now());
      return mayRead.ok ? found(engine.show(runId)) : mayRead;
    });
  }

  /** Run now: also while the routine is paused. */
  runNow(id: OwnedId, event: Wake, isRepeat = false): Result<Admission> {
    return this.opening.with(id, ({ work, wakes }, routine) =>
      work.change((tx) => wakes.fire(tx, routine, event, isRepeat)),
    );
  }

  /** Events that the routine's triggers may wait for. Given twice, each is answered twice and taken in once. */
  takeEvents(id: OwnedId, events: readonly SourceEvent[]): Result<DeliveryOutcome[][]> {
    return this.opening.with(id, ({ takeEvents }) => success(events.map((event) => takeEvents.take(event))));
  }

  /** What GitHub has told of names that the routine's repositories have. Told twice, it changes nothing. */
  async learnRepositories(id: OwnedId, lessons: readonly RepositoryLesson[]): Promise<Result<null>> {
    return this.opening.with(id, ({ takeEvents }) => takeEvents.learn(lessons));
  }

  /** What the triggers would make of an event: nothing follows. */
  judge(id: OwnedId, event: SourceEvent): Result<DeliveryOutcome[]> {
    return this.opening.with(id, ({ wakes }, routine) => success(wakes.judge(routine, event)));
  }

  /**
   * Claims what has come due, and sees to it that the object keeps time. @param quietMs what follows from the runs may wait for so long.
   * @returns when to look again.
   */
  async lookAtSchedules(id: OwnedId, quietMs = 0): Promise<Result<DueAnswer>> {
    await this.opening.keepTime();
    return this.opening.with(id, ({ dueSchedules, alarm }, routine) =>
      success({ ...dueSchedules.fireDue(routine, quietMs), faults: alarm.faults() }),
    );
  }

  /** A webhook trigger with the secrets that are in force, for the worker alone. */
  async endpoint(id: OwnedId, triggerId: string): Promise<Result<EndpointAnswer>> {
    return this.opening.with(id, ({ endpoints }, routine) => endpoints.read(routine, triggerId));
  }

  /** How what a watch would see now differs from what it knows: nothing follows. */
  compareWatch(
    id: OwnedId,
    triggerId: string,
    items: readonly Pick<SeenItem, "key" | "hash">[],
  ): Result<{ hasBaseline: boolean; changes: WatchChange[] }> {
    return this.opening.with(id, ({ watches }, routine) => found(watches.compare(routine, triggerId, items)));
  }

  /** Has a watch forget what it knows: its next look, at once, is a new baseline. */
  resetWatch(id: OwnedId, triggerId: string): Result<null> {
    return this.opening.with(id, ({ work, watches }, routine) =>
      work.change((tx) => watches.reset(tx, routine, triggerId)) ? success(null) : refuse("not_found"),
    );
  }

  /** Puts a secret in force, one that is drawn where none is given. */
  async setSecret(id: OwnedId, triggerId: string, given: string | null): Promise<Result<SecretAnswer>> {
    return this.opening.with(id, ({ endpoints }) => endpoints.rotate(triggerId, given));
  }

  /** Ends an endpoint's secrets at once: until it has a new one, every request to it is refused. */
  async clearSecrets(id: OwnedId, triggerId: string): Promise<Result<Routine>> {
    return this.opening.with(id, ({ changes, endpoints }, routine) =>
      changes.change(routine, (tx) => endpoints.end(tx, routine, triggerId)),
    );
  }

  /** Keeps a secret that a request has brought to the endpoint, for the owner to see. It is not in force. */
  async handOver(id: OwnedId, triggerId: string, secret: string, from: Bringer): Promise<Result<null>> {
    return this.opening.with(id, ({ endpoints }) => endpoints.handOver(triggerId, secret, from));
  }

  async handedOver(id: OwnedId, triggerId: string): Promise<Result<HandedOver[]>> {
    return this.opening.with(id, ({ endpoints }) => endpoints.handedOver(triggerId));
  }

  async confirmSecret(id: OwnedId, triggerId: string, handedId: string): Promise<Result<SecretAnswer>> {
    return this.opening.with(id, ({ endpoints }) => endpoints.confirm(triggerId, handedId));
  }

  occurrences(id: OwnedId, page: PageRequest): Result<Page<Occurrence>> {
    return this.opening.with(id, ({ occurrences }) => success(occurrences.list(page)));
  }

  /** What has been decided on what a delivery has brought. */
  decidedOf(id: OwnedId, deliveryId: string): Result<Occurrence[]> {
    return this.opening.with(id, ({ wakes }) => success(wakes.decidedOf(deliveryId)));
  }

  runs(id: OwnedId, page: PageRequest): Result<Page<ListedRun>> {
    return this.opening.with(id, ({ runs }) => success(runs.list(page)));
  }

  /** Runs that are on, as lists show them. They are asked for here because the index is not told of each of their steps. */
  activeRuns(id: OwnedId): Result<ListedRun[]> {
    return this.opening.with(id, ({ runs }) => success(runs.active()));
  }

  readRun(id: OwnedId): Result<Run> {
    return this.opening.with(id, ({ engine }) => found(engine.show(id)));
  }

  /** Asks for a run to be stopped; asking again changes nothing. */
  cancelRun(id: OwnedId): Result<Run> {
    const asked = this.opening.with(id, ({ work, engine }) => work.change((tx) => engine.cancel(tx, id)));
    return asked.ok ? this.readRun(id) : asked;
  }

  /** Fires a dead letter: what had come to nothing. Asked again it gives the same run. @param call of the request. */
  fireDeadLetter(id: OwnedId, call: Wake, by: Actor): Result<Admission> {
    return this.opening.with(id, ({ work, fireAgain }, routine) =>
      work.change((tx) => fireAgain.fire(tx, routine, id, { call, by, isRepeat: false })),
    );
  }

  /** A new run with the input of one that has ended. @param call of the request, with its key. */
  retryRun(id: OwnedId, call: Wake, by: Actor, isRepeat = false): Result<Admission> {
    return this.opening.with(id, ({ work, fireAgain }, routine) =>
      work.change((tx) => fireAgain.retry(tx, routine, id, { call, by, isRepeat })),
    );
  }

  /** A page of a transcript, oldest first; `next_cursor` is null at the present end. */
  async events(id: OwnedId, after: number, limit: number): Promise<Result<Page<TranscriptEvent>>> {
    return await this.opening.with(id, ({ log }) => readEvents(log, id, after, limit));
  }

  /** A ticket for one viewer's upgrade. @param access by what the asker was let in: its end closes the socket. */
  async issueTicket(id: OwnedId, access: Access): Promise<Result<{ ticket: string }>> {
    return this.opening.with(id, async ({ log, tickets }) =>
      log.end(id) === null ? refuse("not_found") : success({ ticket: await tickets.issue(id, access) }),
    );
  }

  /** Closes what a web session that has ended opened here, and lets nothing of it in any more. @param session its hash. */
  async revokeAccess(id: OwnedId, session: string): Promise<void> {
    this.opening.require();
    const owner = this.opening.owner(id);
    owner?.accesses.revoke(session);
    owner?.viewers.closeAccess((access) => access.session === session);
  }

  async #changeStatus(
    id: OwnedId,
    change: Pick<RoutineRow, "status" | "pausedReason" | "pausedBy">,
  ): Promise<Result<Routine>> {
    return this.opening.with(id, ({ changes, definitionChanges }, routine) =>
      changes.change(routine, (tx) => definitionChanges.changeStatus(tx, routine, change)),
    );
  }
}
