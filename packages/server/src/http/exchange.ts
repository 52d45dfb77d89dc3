/** One request, whatever carried it. */
export interface Exchange {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Without the question mark; empty where there is none. */
  readonly query: string;
  /** By lower-case name. */
  header(name: string): string | undefined;
  /** Within the size limit; undefined = not UTF-8. */
  readonly body: string | undefined;
}

export interface Reply {
  readonly status: number;
  /** Content type; absent = no body. */
  readonly type?: string;
  /** A stream is read as fast as the caller takes it, and told by `return` when the caller is gone. */
  readonly body: string | Uint8Array | AsyncIterableIterator<string, undefined>;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Route = (exchange: Exchange, parameter: string) => Promise<Reply> | Reply;

const json = "application/json";

export function jsonReply(status: number, body: string): Reply {
  return { status, type: json, body };
}

/** Of the plain routes: `error` for people, `reason` for programs. */
export function errorReply(
  status: number,
  error: string,
  told: { reason: string; data?: unknown },
): Reply {
  return jsonReply(status, JSON.stringify({ error, ...told }));
}

export function textReply(status: number, body: string): Reply {
  return { status, type: "text/plain; charset=utf-8", body };
}

export function emptyReply(status: number, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, body: "", headers };
}

/** `application/json` and `application/*+json`, with or without parameters. */
export function isJson(contentType: string | undefined): boolean {
  return (
    contentType === json || /^application\/(?:[^;\s]+\+)?json\s*(?:;|$)/i.test(contentType ?? "")
  );
}
