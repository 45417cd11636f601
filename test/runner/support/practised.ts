/** What stands for the agent's program in tests has to practise turns as that does. */

/**
 * A statement of JavaScript, which has `message`, a line that the program was told, and `say`: it does a turn for practice, which is told
 * by its name, and takes it back. @param end how such a turn ends. @param undone what follows of taking it back.
 */
export function practised({
  isError = false,
  undone = { rewound: true },
}: {
  isError?: boolean;
  undone?: object;
} = {}) {
  const end = [
    { type: "result", is_error: isError },
    { type: "system", subtype: "session_state_changed", state: "idle" },
  ];
  return `if (message.uuid !== undefined) return ${JSON.stringify(end)}.forEach(say);
  if (message.request?.subtype === "rewind_conversation") {
    const { request_id } = message;
    const response = { subtype: "success", request_id, response: ${JSON.stringify(undone)} };
    return say({ type: "control_response", response });
  }`;
}
