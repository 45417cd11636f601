/** Pure: items of a transcript as Markdown, for whoever writes of them elsewhere. */
import { repositoryName } from "../../format/repository.ts";
import { RUN_STATUS_LABELS, WAITING_TEXTS } from "../../format/status.ts";
import type { Item, ToolResult } from "../item-types.ts";
import { answerWords } from "../questions/question-words.ts";
import { withoutAnsi } from "./ansi.ts";
import { jsonText } from "./json-text.ts";
import { isObject, toolName } from "./tool-summary.ts";
import { visibleText } from "./visible-text.ts";

/** What would act on a screen or hide from a reader is seen in it, as it is on the page. */
export function itemMarkdown(item: Item): string {
  return visibleText(markdownOf(item));
}

function markdownOf(item: Item): string {
  switch (item.kind) {
    case "agent":
      return item.text;
    case "thinking":
      return quoted(item.text);
    case "user":
      return `**${item.by ?? SAID_BY[item.source]}:**\n\n${item.text}`;
    case "tool": {
      const { server, name } = toolName(item.name);
      const input = isObject(item.input) && typeof item.input["command"] === "string" ? item.input["command"] : null;
      const asked = input === null ? fenced(jsonText(item.input), "json") : fenced(input, "sh");
      return [`**${server === null ? name : `${server} ${name}`}**`, asked, resultMarkdown(item.result)]
        .filter((part) => part !== "")
        .join("\n\n");
    }
    case "result":
      return resultMarkdown(item.result);
    case "wait":
      return item.question === null
        ? `_${WAITING_TEXTS[item.what]}_`
        : [`**Question:** ${item.question.text}`, ...(item.answer === null ? [] : [answerWords(item.answer)])].join(
            "\n\n",
          );
    case "answer":
      return answerWords(item.answer);
    case "notice":
      return quoted(item.message);
    case "push":
      return `Pushed \`${item.branch}\` at ${item.commit.slice(0, 7)} to ${repositoryName(item.repository)}`;
    case "finished": {
      const said = [item.summary, item.error?.message ?? null, item.error?.hint ?? null].filter(
        (part) => part !== null,
      );
      return [`**${RUN_STATUS_LABELS[item.status].text}**`, ...said].join("\n\n");
    }
    case "artifact":
      return `Shows ${item.name}`;
    case "step":
      return `_${item.message}_`;
    default:
      return "";
  }
}

const SAID_BY = { routine: "Prompt", trigger: "Trigger", context: "Earlier runs", person: "A person" };

function resultMarkdown(result: ToolResult | null): string {
  if (result === null || result.text === "") return "";
  return `${result.isError ? "Error:\n\n" : ""}${fenced(withoutAnsi(result.text), "")}`;
}

function quoted(text: string): string {
  return text
    .split("\n")
    .map((line) => `> ${line}`)
    .join("\n");
}

/** With a fence that is longer than any in the text. */
function fenced(text: string, language: string): string {
  let longest = 2;
  for (const run of text.match(/`+/g) ?? []) longest = Math.max(longest, run.length);
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
