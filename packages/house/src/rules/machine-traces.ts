import type { Rule } from "../repository.ts";

// In pieces, so that this file does not match itself.
const traces: readonly RegExp[] = [
  new RegExp(["(?<![\\w.~-])", "(work|tmp|root|home\\/\\w+|Users\\/\\w+)\\/"].join("\\/")),
  new RegExp(["[A-Z]:", "Users", ""].join("\\\\")),
  new RegExp(["registry", "(npmjs|yarnpkg|npmmirror)", ""].join("\\.")),
  new RegExp(["https?:", "(registry|npm)\\."].join("\\/\\/")),
  new RegExp(["npm", "pkg", "github"].join("\\.")),
  new RegExp(["_auth", "Token"].join("")),
];

/** No registry host, credential line or path of somebody's machine in any file. */
export const machineTraces: Rule = (files) =>
  files.flatMap(({ path, text }) =>
    text
      .split("\n")
      .map((content, index) => ({ content, line: index + 1 }))
      .filter(({ content }) => traces.some((trace) => trace.test(content)))
      .map(({ content, line }) => `${path}:${line}: ${content.trim().slice(0, 120)}`),
  );
