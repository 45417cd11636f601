/** A routine's object as people and its runs ask it about the runs' work: answers, verdicts, changes, files that they show, and notes that outlast a run. */
import type { Actor } from "#protocol/actor.ts";
import type { Page, PageRequest } from "#protocol/api.ts";
import type { Artifact, ArtifactList, SentArtifact } from "#protocol/artifact.ts";
import type { Diff, SentDiff } from "#protocol/diff.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { OwnedId } from "#protocol/ids.ts";
import type { MessageAnswer } from "#protocol/message.ts";
import type { Note, NoteInput, NoteList } from "#protocol/note.ts";
import type { Notification } from "#protocol/notification.ts";
import type { PullRequestInput, PullRequestList, PullRequestPlan, SeenPullRequest } from "#protocol/pull-request.ts";
import type { AnswerInput } from "#protocol/question.ts";
import type { Run } from "#protocol/run.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { ArchivedFilter, Session, SessionPatch } from "#protocol/session.ts";
import type { Reviewer, VerdictInput } from "#protocol/verdict.ts";
import type { Assembled } from "./assemble.ts";
import { removeSession } from "./changes/remove-session.ts";
import { ObjectForRuns } from "./object-for-runs.ts";
import { found } from "./opening.ts";
import { answerOffered, type PressOutcome, questionOfMark } from "./runs/pressed-answer.ts";
import type { RunRow } from "./runs/run-store.ts";
import { answerFromSlack, type PressedButton } from "./runs/slack-answer.ts";
import { artifactKey } from "./sessions/artifacts.ts";
import type { ToSession } from "./wakes/session-messages.ts";

export abstract class ObjectForWork extends ObjectForRuns {
  sessions(id: OwnedId, page: PageRequest, archived: ArchivedFilter): Result<Page<Session>> {
    return this.opening.with(id, ({ runs }, routine) => success(runs.sessions.list(page, archived, routine.id)));
  }

  readSession(id: OwnedId): Result<Session> {
    return this.opening.with(id, ({ runs }, routine) => found(runs.sessions.get(id, routine.id)));
  }

  /** Whole runs of a session. @param runIds in the order in which they are wanted. @returns none that is another session's. */
  sessionRuns(id: OwnedId, runIds: readonly string[]): Result<Run[]> {
    return this.opening.with(id, ({ runs, engine }) =>
      success(
        runIds.flatMap((runId) => {
          const run = runs.get(runId)?.sessionId === id ? engine.show(runId) : null;
          return run === null ? [] : [run];
        }),
      ),
    );
  }

  changeSession(id: OwnedId, patch: SessionPatch): Result<Session> {
    return this.opening.with(id, ({ work, runs }, routine) => {
      work.change((tx) => runs.sessions.change(tx, id, patch));
      return found(runs.sessions.get(id, routine.id));
    });
  }

  removeSession(id: OwnedId): Result<null> {
    return this.opening.with(id, (parts) => parts.work.change((tx) => removeSession(tx, parts, id)));
  }

  giveVerdict(id: OwnedId, input: VerdictInput, actor: Actor): Result<Run> {
    return this.opening.with(id, ({ work, verdicts, engine }) => {
      const given = work.change((tx) => verdicts.give(tx, id, input, actor));
      return given.ok ? found(engine.show(id)) : given;
    });
  }

  /** Of the run of an attempt that is on: the run that has woken it, and as whom it reviews that. */
  reviewFor(id: OwnedId, lease: LeaseRef): Result<{ runId: string; by: Reviewer }> {
    return this.#atWork(id, lease, (_parts, { doc }) => {
      const { woken_by: runId } = doc.trigger;
      if (runId === undefined) return refuse("nothing_to_review");
      const by = { kind: "run" as const, id: doc.id, routine_id: doc.routine_id, name: doc.routine.name };
      return success({ runId, by });
    });
  }

  /** A run that this one has woken gives a verdict on it. */
  giveReview(id: OwnedId, input: VerdictInput, by: Reviewer): Result<null> {
    return this.opening.with(id, ({ work, verdicts }) => work.change((tx) => verdicts.review(tx, id, input, by)));
  }

  /** A pull request is about to be asked for. @param link to the session's page. */
  beginPullRequest(id: OwnedId, input: PullRequestInput, by: Actor, link: string): Result<PullRequestPlan> {
    return this.opening.with(id, ({ work, pullRequests }, routine) =>
      work.change((tx) => pullRequests.begin(tx, id, routine.id, { input, by, link })),
    );
  }

  /** GitHub has it. */
  endPullRequest(id: OwnedId, opened: SeenPullRequest): Result<null> {
    return this.opening.with(id, ({ work, pullRequests }) => work.change((tx) => pullRequests.end(tx, id, opened)));
  }

  pullRequests(id: OwnedId): Result<PullRequestList> {
    return this.opening.with(id, ({ pullRequests }) => success(pullRequests.list(id)));
  }

  /** Sends a notification again. */
  redeliver(id: OwnedId): Result<Notification> {
    return this.opening.with(id, ({ work, notifications, sender }) => {
      const row = notifications.get(id);
      if (row === null) return refuse("not_found");
      const asked = work.change((tx) => notifications.redeliver(tx, row));
      sender.look();
      return success(asked);
    });
  }

  /** What a session's work has changed. */
  readDiff(id: OwnedId): Result<Diff> {
    return this.opening.with(id, ({ diffs }) => success(diffs.of(id, Date.now())));
  }

  /** The runner of an attempt that is on tells what that has changed. */
  keepDiff(id: OwnedId, lease: LeaseRef, diff: SentDiff): Result<null> {
    return this.#atWork(id, lease, ({ work, diffs }, { sessionId }) => {
      work.change((tx) => diffs.keep(tx, sessionId, lease.run_id, diff));
      return success(null);
    });
  }

  /** Files that a session's runs have shown. */
  artifacts(id: OwnedId): Result<ArtifactList> {
    return this.opening.with(id, ({ artifacts }) => success({ data: artifacts.list(id, Date.now()) }));
  }

  /** One of them, with where its bytes lie. */
  artifact(id: OwnedId, artifactId: string): Result<Artifact & { key: string }> {
    return this.opening.with(id, ({ artifacts }, routine) => {
      const found = artifacts.find(id, artifactId, Date.now());
      return found === null ? refuse("not_found") : success({ ...found, key: artifactKey(routine.id, id, artifactId) });
    });
  }

  /** A runner is about to send a file's bytes. @returns where they go. */
  beginArtifact(id: OwnedId, lease: LeaseRef, artifactId: string, sent: SentArtifact): Result<{ key: string }> {
    return this.#atWork(id, lease, ({ work, artifacts }, { sessionId, doc }) => {
      const of = { sessionId, runId: lease.run_id };
      const begun = work.change((tx) => artifacts.begin(tx, of, artifactId, sent));
      return begun.ok ? success({ key: artifactKey(doc.routine_id, sessionId, artifactId) }) : begun;
    });
  }

  /** They are there: the transcript shows the file. */
  endArtifact(id: OwnedId, lease: LeaseRef, artifactId: string): Result<null> {
    this.opening.owner(id)?.frames.flush();
    return this.#atWork(id, lease, ({ work, artifacts, engine }, row) => {
      work.change((tx) => {
        const artifact = artifacts.end(tx, row.sessionId, artifactId);
        if (artifact === null) return;
        const { name, media_type, bytes } = artifact;
        const evidence = { ...row.doc.evidence, files_shown: artifacts.countOf(row.id) };
        const saved = engine.update(tx, row, { ...row.doc, evidence });
        engine.append(tx, saved, [{ type: "artifact", artifact_id: artifactId, name, media_type, bytes }]);
      });
      return success(null);
    });
  }

  /** A person's message to a session: to the run that is on, or to one that it starts. The same id counts once. */
  say(id: OwnedId, said: Omit<ToSession, "sessionId"> & { text: string }): Result<MessageAnswer> {
    return this.opening.with(id, ({ work, sessionMessages }, routine) =>
      work.change((tx) => sessionMessages.say(tx, routine, { ...said, sessionId: id })),
    );
  }

  /** Answers what a run asks: the first answer counts. */
  answerRun(id: OwnedId, input: AnswerInput, actor: Actor): Result<Run> {
    return this.opening.with(id, ({ work, questions, engine }) => {
      const answered = work.change((tx) => questions.answer(tx, id, input, actor));
      return answered.ok ? found(engine.show(id)) : answered;
    });
  }

  /** A button in Slack was pressed: the same, and its message is to say what has become of the question. */
  answerFromSlack(id: OwnedId, pressed: PressedButton): Result<null> {
    return this.opening.with(id, (parts) => parts.work.change((tx) => answerFromSlack(tx, parts, id, pressed)));
  }

  /** A button in another chat was pressed: the same; its message becomes what is answered. */
  async answerFromChat(
    id: OwnedId,
    pressed: { mark: string; answer: number | boolean; by: Actor },
  ): Promise<Result<PressOutcome>> {
    const asked = this.opening.with(id, ({ questions }) => success(questions.idsOf(id)));
    if (!asked.ok) return asked;
    const { mark, answer, by } = pressed;
    const questionId = await questionOfMark(asked.value, mark);
    if (questionId === null) return refuse("question_unknown");
    const offered = { question_id: questionId, answer };
    return this.opening.with(id, ({ work, questions }) =>
      work.change((tx) => answerOffered(tx, questions, id, { offered, by })),
    );
  }

  /** Stops the turn that is on, with all that it has started. */
  interrupt(id: OwnedId, said: Omit<ToSession, "sessionId">): Result<MessageAnswer> {
    this.opening.owner(id)?.frames.flush();
    return this.opening.with(id, ({ work, sessionMessages }) =>
      work.change((tx) => sessionMessages.interrupt(tx, { ...said, sessionId: id })),
    );
  }

  /** Notes that the routine's runs share. */
  notes(id: OwnedId): Result<NoteList> {
    return this.opening.with(id, ({ notes }) => success({ data: notes.list() }));
  }

  readNote(id: OwnedId, name: string): Result<Note> {
    return this.opening.with(id, ({ notes }) => notes.read(name));
  }

  noteRevisions(id: OwnedId, name: string): Result<{ data: Note[] }> {
    return this.opening.with(id, ({ notes }) => notes.revisions(name));
  }

  writeNote(id: OwnedId, name: string, input: NoteInput, actor: Actor): Result<Note> {
    return this.opening.with(id, ({ work, notes }) => work.change((tx) => notes.write(tx, name, input, actor)));
  }

  removeNote(id: OwnedId, name: string): Result<null> {
    return this.opening.with(id, ({ work, notes }) => work.change((tx) => notes.remove(tx, name)));
  }

  /** The same for the runner of an attempt that is on. */
  notesForRun(id: OwnedId, lease: LeaseRef): Result<NoteList> {
    return this.#atWork(id, lease, ({ notes }) => success({ data: notes.list() }));
  }

  readNoteForRun(id: OwnedId, lease: LeaseRef, name: string): Result<Note> {
    return this.#atWork(id, lease, ({ notes }) => notes.read(name));
  }

  writeNoteForRun(id: OwnedId, lease: LeaseRef, name: string, input: NoteInput): Result<Note> {
    return this.#atWork(id, lease, ({ work, notes }, { doc }) => {
      const author = { kind: "run" as const, id: doc.id, name: doc.routine.name };
      return work.change((tx) => notes.write(tx, name, input, author));
    });
  }

  removeNoteForRun(id: OwnedId, lease: LeaseRef, name: string): Result<null> {
    return this.#atWork(id, lease, ({ work, notes }) => work.change((tx) => notes.remove(tx, name)));
  }

  #atWork<Value>(id: OwnedId, lease: LeaseRef, ask: (parts: Assembled, row: RunRow) => Result<Value>): Result<Value> {
    return this.opening.proxied(id, (parts) => {
      const row = parts.engine.leased(lease);
      return row === null ? refuse("runner_refused", { field: "Authorization" }) : ask(parts, row);
    });
  }
}
