/** With what GitHub has sent the browser back: `?code=…&state=…`, each good once. */

export interface SetupReturn {
  code: string;
  state: string;
}

let waiting: SetupReturn | null = null;

/** Takes it out of the address, so that no reload, bookmark or history has it. @returns null when there is none. */
export function takeSetupReturn(): SetupReturn | null {
  const query = new URLSearchParams(location.search);
  const [code, state] = [query.get("code"), query.get("state")];
  if (location.search !== "") history.replaceState(history.state, "", location.pathname);
  const taken = code !== null && state !== null ? { code, state } : waiting;
  waiting = null;
  return taken;
}

/** Nobody was signed in: it is used after that. */
export function keepSetupReturn(kept: SetupReturn): void {
  waiting = kept;
}

/** Sends the browser to GitHub, which takes a manifest in a form alone. */
export function postManifest({ action, manifest }: { action: string; manifest: string }): void {
  const form = document.createElement("form");
  form.method = "post";
  form.action = action;
  const field = document.createElement("input");
  field.type = "hidden";
  field.name = "manifest";
  field.value = manifest;
  form.append(field);
  document.body.append(form);
  form.submit();
}
