/** Which names of time zones are those of the IANA's list. Pure. */
import { ownValue } from "#protocol/own-value.ts";

/** Names of the list that are no "Area/Place". What else has no slash is an abbreviation that only ICU knows. */
const WITHOUT_AREA = new Set(
  `utc uct gmt gmt0 gmt+0 gmt-0 zulu universal greenwich est mst hst est5edt cst6cdt mst7mdt pst8pdt cet met eet wet cuba
  egypt eire gb gb-eire hongkong iceland iran israel jamaica japan kwajalein libya navajo nz nz-chat poland portugal prc roc rok
  singapore turkey w-su`.split(/\s+/),
);
/** ICU has them beside the list. */
const OF_ICU_ALONE = /^(?:systemv\/|etc\/unknown$|us\/pacific-new$)/;

/** The place that people most often mean: ICU reads some as another, BST as Dhaka and AST as Anchorage. */
const MEANT: Record<string, string> = {
  aet: "Australia/Sydney",
  ast: "America/Halifax",
  bst: "Europe/London",
  cat: "Africa/Maputo",
  cst: "America/Chicago",
  ctt: "Asia/Shanghai",
  eat: "Africa/Nairobi",
  ect: "Europe/Paris",
  ist: "Asia/Kolkata",
  jst: "Asia/Tokyo",
  nst: "America/St_Johns",
  pst: "America/Los_Angeles",
};

/** @param zone one that `Intl` takes. @returns what is wrong with it, and what to write; null for a name of the list. */
export function zoneNameFault(zone: string): string | null {
  const name = zone.toLowerCase();
  if (name.includes("/") ? !OF_ICU_ALONE.test(name) : WITHOUT_AREA.has(name)) return null;
  const place = ownValue(MEANT, name) ?? "Europe/Paris";
  return `"${zone}" is no IANA time zone: name a place, for example "${place}".`;
}
