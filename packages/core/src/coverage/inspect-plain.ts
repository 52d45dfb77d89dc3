import type { Reach } from "./coverage-surface.ts";
import { isRecord } from "../json/is-record.ts";

/** Functions without a framework: one, a list, or a map of them. */
export function inspectPlain(target: unknown): readonly Reach[] | undefined {
  if (typeof target === "function") return [{ name: target.name, object: target }];
  if (Array.isArray(target)) {
    const named = target.every((item) => typeof item === "function");
    return named ? target.map((item: Function) => ({ name: item.name, object: item })) : undefined;
  }
  if (!isRecord(target)) return undefined;
  const entries = Object.entries(target);
  const all = entries.every(([, item]) => typeof item === "function");
  return all ? entries.map(([name, object]) => ({ name, object })) : undefined;
}
