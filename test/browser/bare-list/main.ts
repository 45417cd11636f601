/** What lists are held to: a virtual list of as many rows, each of one line of text, and nothing else on the page. */
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { VList } from "virtua";

const root = document.getElementById("root");
const length = Number(document.documentElement.dataset["rows"]);
const data = { length } as ArrayLike<unknown>;
const children = (_row: unknown, index: number) => createElement("p", { key: index }, `Row ${index} of a bare list.`);
if (root !== null) createRoot(root).render(createElement(VList, { data, children, style: { height: "100vh" } }));
