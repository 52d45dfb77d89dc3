import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createInterface } from "node:readline";

export interface Call {
  readonly tool: "mail" | "search";
  readonly input: { readonly n: number };
  readonly callId: string;
  readonly runKey: string;
}

export type Order =
  | { what: "attempt"; call: Call; seam: boolean; ends: "ok" | "throws" | "suspends" | "dies" }
  | { what: "withdraw"; call: Call };

export interface Told {
  readonly id: number;
  readonly order: Order;
}

const fromSource = "--conditions=@agentkeys/source";
const program = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** A process that does what it is told. When it is gone, the next order finds another in its place. */
export class AgentProcess {
  /** Processes that died. */
  deaths = 0;
  readonly #args: readonly string[];
  readonly #waiting = new Map<number, (said: string) => void>();
  #child: Promise<ChildProcess>;
  #orders = 0;
  #closed = false;

  constructor(...args: readonly string[]) {
    this.#args = args;
    this.#child = this.#start();
  }

  /** What came of it; `lost` where the process died over it. */
  async tell(order: Order): Promise<string> {
    const child = await this.#child;
    const id = ++this.#orders;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      // Whoever died since is told of by its exit.
      child.send({ id, order } satisfies Told, () => {});
    });
  }

  async kill(): Promise<void> {
    (await this.#child).kill("SIGKILL");
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.kill();
  }

  async #start(): Promise<ChildProcess> {
    const child = fork(program("agent-process.ts"), this.#args, { execArgv: [fromSource] });
    await once(child, "message");
    child.on("message", ({ id, said }: { id: number; said: string }) => this.#heard(id, said));
    child.once("exit", () => {
      this.deaths++;
      if (!this.#closed) this.#child = this.#start();
      for (const id of this.#waiting.keys()) this.#heard(id, "lost");
    });
    return child;
  }

  #heard(id: number, said: string): void {
    this.#waiting.get(id)?.(said);
    this.#waiting.delete(id);
  }
}

/** The authority's process: the same address and the same data after each death. */
export class AuthorityProcess {
  url = "";
  readonly #data: string;
  #child: ChildProcess | undefined;

  constructor(data: string) {
    this.#data = data;
  }

  async start(): Promise<void> {
    const port = this.url === "" ? "0" : new URL(this.url).port;
    const args = [fromSource, program("authority-process.ts"), this.#data, port];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#child = child;
    const [url] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    this.url = url;
  }

  async kill(): Promise<void> {
    const ended = this.#child && once(this.#child, "exit");
    this.#child?.kill("SIGKILL");
    await ended;
  }
}
