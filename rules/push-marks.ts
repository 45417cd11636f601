/** Marks of a push: by them a webhook of GitHub's is recognised as caused by a push of one of our own runs. Pure. */

/** What a push does to one ref. Object names in hex; all zeros stand for nothing. */
export interface RefUpdate {
  previous: string;
  commit: string;
  ref: string;
}

/** @param repository as in `githubKey`: its numeric id, once it is known, else its full name in lower case. */
export function updateMark(repository: number | string, { previous, commit, ref }: RefUpdate): string {
  return `${repository} ${previous}..${commit} ${ref}`;
}

export function commitMark(repository: number | string, commit: string): string {
  return `${repository} ${commit}`;
}

/** @param change what has become of the ref. */
export function refMark(repository: number | string, change: "created" | "deleted", ref: string): string {
  return `${repository} ${change} ${ref}`;
}

/** Everything that an update is known by. */
export function marksOf(repository: number | string, update: RefUpdate): string[] {
  const { previous, commit, ref } = update;
  return [
    updateMark(repository, update),
    ...(isNothing(commit) ? [refMark(repository, "deleted", ref)] : [commitMark(repository, commit)]),
    ...(isNothing(previous) ? [refMark(repository, "created", ref)] : []),
  ];
}

export function isNothing(objectName: string): boolean {
  return /^0+$/.test(objectName);
}
