import { isDeepStrictEqual } from "node:util";
import type { Json } from "./exchanges.test-kit.ts";
import { isMap } from "./exchanges.test-kit.ts";

interface Match {
  /** What `$id` stands for. */
  id?: Json | undefined;
  /** Further keys are allowed. */
  partial?: boolean;
}

/** Compares an answer with what was recorded; throws an Error that names the place. */
export function match(want: Json, got: Json | undefined, options: Match = {}, place = ""): void {
  const no = (why: string): never => {
    throw new Error(`${place || "/"}: ${why}`);
  };
  if (Array.isArray(want)) {
    if (!Array.isArray(got) || got.length !== want.length) return no(`wanted ${want.length} items, got ${JSON.stringify(got)}`);
    want.forEach((item, i) => match(item, got[i], options, `${place}/${i}`));
    return;
  }
  if (!isMap(want)) {
    if (!Object.is(want, got)) no(`wanted ${JSON.stringify(want)}, got ${JSON.stringify(got)}`);
    return;
  }
  const [name = ""] = Object.keys(want);
  const special = matchers[name];
  if (special !== undefined) {
    const why = special(want[name] as Json, got, options);
    return why === undefined ? undefined : no(why);
  }
  if (!isMap(got)) return no(`wanted an object, got ${JSON.stringify(got)}`);
  const extra = Object.keys(got).find((key) => !(key in want));
  if (extra !== undefined && options.partial !== true) no(`unexpected key ${extra}`);
  for (const [key, value] of Object.entries(want)) match(value, got[key], options, `${place}/${key}`);
}

type Matcher = (want: Json, got: Json | undefined, options: Match) => string | undefined;

const matchers: Readonly<Record<string, Matcher>> = {
  $any: (_, got) => (got === undefined ? "absent" : undefined),
  $id: (_, got, { id }) => (isDeepStrictEqual(got, id) ? undefined : `id ${JSON.stringify(got)}`),
  $re: (want, got) =>
    typeof got === "string" && new RegExp(want as string, "s").test(got) ? undefined : `${JSON.stringify(got)} is not like ${want as string}`,
  $int: (want, got) => {
    const [low, high] = want as [number, number];
    const inside = Number.isInteger(got) && Number(got) >= low && Number(got) <= high;
    return inside ? undefined : `${JSON.stringify(got)} is not in ${low} to ${high}`;
  },
  $compact: (want, got, options) => {
    if (typeof got !== "string") return "not a text";
    const value = JSON.parse(got) as Json;
    if (got !== JSON.stringify(sorted(value))) return `not compact with sorted keys: ${got}`;
    match(want, value, options, "<json>");
    return undefined;
  },
  $schema: (want, got) =>
    isDeepStrictEqual(sorted(bare(got ?? null)), sorted(want)) ? undefined : `schema differs: ${JSON.stringify(got)}`,
};

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isMap(value)) return value;
  const keys = Object.keys(value).toSorted();
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key] as Json)]));
}

/** Without descriptions. */
function bare(value: Json): Json {
  if (Array.isArray(value)) return value.map(bare);
  if (!isMap(value)) return value;
  const kept = Object.entries(value).filter(([key, v]) => key !== "description" || typeof v !== "string");
  return Object.fromEntries(kept.map(([key, v]) => [key, bare(v)]));
}
