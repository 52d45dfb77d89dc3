import { AgentKeysError } from "@agentkeys/contract";

/** Something wrong with a configuration. */
export interface Problem {
  /** The keys from the top to the place; empty = the whole. */
  readonly path: readonly PropertyKey[];
  /** What was expected; never a value, which may be a secret. */
  readonly message: string;
  /** Line in the file, from 1; undefined where there is no file. */
  readonly line?: number | undefined;
}

/** One error that tells all problems, each as `source:line: key: message`. */
export function configInvalid(source: string, problems: readonly Problem[]): AgentKeysError {
  const told = problems.map(({ path, line, message }) => ({
    source,
    line,
    key: keyText(path),
    message,
  }));
  told.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  const lines = told.map(({ line, key, message }) => {
    const place = line === undefined ? source : `${source}:${line}`;
    return [place, ...(key === "" ? [] : [key]), message].join(": ");
  });
  return new AgentKeysError("config_invalid", lines.join("\n"), { data: { problems: told } });
}

/** `actors.0xa0c7….scopes["payment.spend"].per_call` */
function keyText(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (/^\w[\w-]*$/.test(String(key)) ? `.${String(key)}` : `[${JSON.stringify(key)}]`))
    .join("")
    .replace(/^\./, "");
}
