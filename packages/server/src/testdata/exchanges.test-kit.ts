import { readFileSync } from "node:fs";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonMap = { [key: string]: Json };

export interface Step {
  http?: { method: string; path: string; headers?: Record<string, string>; body?: Json; raw?: string };
  expect?: {
    status: number;
    /** Exact: no further keys. */
    json?: Json;
    partial?: Json;
    text?: string;
    bodyHex?: string;
  };
  save?: Record<string, string>;
  check?: {
    diff?: [string, string, number];
    differs?: [string, string];
    bodyKeccak?: string;
    cborTs?: number;
  }[];
  /** Lines in, and the lines that must come back. */
  stdio?: string[];
  lines?: Json[];
}

export interface Recorded {
  id: string;
  /** Numbers of the wire reference's conformance cases. */
  covers: (number | string)[];
  profile: string;
  title: string;
  steps: Step[];
}

interface Recordings {
  vars: Record<string, string>;
  profiles: Record<string, { transport: "http" | "stdio"; env: Record<string, string> }>;
  cases: Recorded[];
}

const file = new URL("exchanges.json", import.meta.url);
export const recordings = JSON.parse(readFileSync(file, "utf8")) as Recordings;

/** Puts values in the place of `${name}`, at every depth. */
export function fill<T extends Json>(value: T, vars: Record<string, Json>): T {
  const filled = JSON.stringify(value).replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
    if (!(name in vars)) throw new Error(`${name} is not set: an earlier step failed`);
    return JSON.stringify(vars[name]).slice(1, -1);
  });
  return JSON.parse(filled) as T;
}

/** The value under a JSON pointer. */
export function at(value: Json | undefined, pointer: string): Json | undefined {
  return pointer
    .split("/")
    .slice(1)
    .reduce<Json | undefined>((v, key) => (isMap(v) || Array.isArray(v) ? (v as JsonMap)[key] : undefined), value);
}

export function isMap(value: Json | undefined): value is JsonMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
