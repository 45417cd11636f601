/** The script of the page at `/`, as it is sent. What it shows is text, never markup. */
export const HOME_SCRIPT = `const byId = (id) => document.getElementById(id);

async function call(method, path, body) {
  const init = { method, headers: {} };
  if (body !== undefined) {
    init.headers["content-type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  const response = await fetch(path, init);
  if (response.status === 204) return null;
  const answer = await response.json();
  if (response.ok) return answer;
  throw Object.assign(new Error(answer.error.message + " " + (answer.error.hint ?? "")), { status: response.status });
}

function fill(table, rows) {
  byId(table).replaceChildren(
    ...rows.map((cells) => {
      const row = document.createElement("tr");
      for (const content of cells) row.insertCell().append(content ?? "");
      return row;
    }),
  );
}

function link(text, address) {
  const anchor = document.createElement("a");
  anchor.textContent = text;
  anchor.href = address;
  return anchor;
}

function show(isSignedIn, message) {
  byId("sign-in").hidden = isSignedIn;
  byId("content").hidden = !isSignedIn;
  byId("message").textContent = message;
}

async function load() {
  try {
    const [routines, runs] = await Promise.all([call("GET", "/api/v1/routines"), call("GET", "/api/v1/runs?limit=20")]);
    fill("routines", routines.data.map((routine) => [routine.name, routine.status, routine.id]));
    fill("runs", runs.data.map((run) => [
      run.routine.name,
      run.status,
      run.error ? run.error.message : (run.summary ?? run.result),
      run.timings.queued_at,
      run.demo_model ? "offline demo model" : run.routine.model,
      link(run.id, "/sessions/" + run.session_id),
    ]));
    show(true, "");
  } catch (error) {
    show(false, error.status === 401 ? "Sign in with the owner token, or open an address with a sign-in code." : error.message);
  }
}

async function signIn(credential) {
  try {
    await call("POST", "/api/v1/sign-in", credential);
  } catch (error) {
    show(false, error.message);
    return;
  }
  await load();
}

byId("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  const token = byId("token").value;
  byId("token").value = "";
  signIn({ token });
});
byId("reload").addEventListener("click", load);
byId("sign-out").addEventListener("click", async () => {
  await call("POST", "/api/v1/sign-out");
  await load();
});

const code = new URLSearchParams(location.hash.slice(1)).get("code");
if (code === null) load();
else {
  history.replaceState(null, "", location.pathname);
  signIn({ code });
}
`;
