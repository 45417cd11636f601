/** The script of a session's page, as it is sent. What it shows is text, never markup. */
export const SESSION_SCRIPT = `const byId = (id) => document.getElementById(id);
const api = "/api/v1/sessions/" + encodeURIComponent(location.pathname.split("/").pop());

function textOf(event) {
  if (event.type === "tool.call") return event.name + " " + JSON.stringify(event.input);
  if (event.type === "git.push") return event.branch + " " + event.commit;
  if (event.type === "run.finished") return [event.status, event.result, event.summary, event.error?.message].filter(Boolean).join(": ");
  return event.text ?? event.message ?? event.summary ?? "";
}

function add(event) {
  const row = byId("events").insertRow();
  for (const text of [event.seq, event.type, textOf(event)]) row.insertCell().textContent = text;
}

function follow() {
  const source = new EventSource(api + "/events");
  source.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    if (event.type === "caught_up" && !event.active) source.close();
    if (event.seq === undefined || event.type === "caught_up") return;
    add(event);
    if (event.type === "run.finished") source.close();
  };
}

const response = await fetch(api);
const answer = await response.json();
if (response.ok) {
  byId("title").textContent = answer.title;
  byId("message").textContent = "";
  follow();
} else {
  byId("message").textContent = response.status === 401 ? "Sign in at the start page first." : answer.error.message;
}
`;
