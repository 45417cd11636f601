/** Pure: server-sent events out of the pieces of a response. */

export interface ServerSentEvent {
  /** The last `id:` that came; null before the first. */
  id: string | null;
  data: string;
}

/** Takes text as it comes, and gives the events that are complete. */
export class SseReader {
  #rest = "";
  #id: string | null = null;

  push(text: string): ServerSentEvent[] {
    const blocks = `${this.#rest}${text}`.replaceAll("\r\n", "\n").split("\n\n");
    this.#rest = blocks.pop() ?? "";
    return blocks.flatMap((block) => this.#parse(block));
  }

  #parse(block: string): ServerSentEvent[] {
    const data: string[] = [];
    for (const line of block.split("\n")) {
      const [, field, value = ""] = /^(id|data): ?(.*)$/.exec(line) ?? [];
      if (field === "id") this.#id = value;
      if (field === "data") data.push(value);
    }
    return data.length === 0 ? [] : [{ id: this.#id, data: data.join("\n") }];
  }
}
