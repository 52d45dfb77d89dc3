import type { ServerHttp2Stream } from "node:http2";
import { grpcStatus } from "../../protocol/error-codes.ts";
import { statusError } from "../../protocol/refusal.ts";
import { beginning, withTrailers } from "./response-headers.ts";
import { MessageReader, toMessageBytes } from "./messages.ts";
import { succeeded, toTrailers, type Trailers } from "./status.ts";

const withoutBody = { endStream: true };

/** A request of one message while it is read. */
interface Request {
  readonly reader: MessageReader;
  readonly take: (message: Buffer) => void;
  message: Buffer | undefined;
}

/** The server's end of one call. Whoever makes it listens to the stream's errors. */
export class GrpcCall {
  readonly stream: ServerHttp2Stream;
  #trailers: Trailers = succeeded;

  constructor(stream: ServerHttp2Stream) {
    this.stream = stream;
  }

  /** Calls back with the client's one message when the request is whole. */
  readOne(limit: number, take: (message: Buffer) => void): void {
    const { stream } = this;
    // Let go at the end: what hangs on a stream stays as long as Node.js keeps that, which may be until the next full collection.
    let request: Request | undefined = {
      reader: new MessageReader(limit),
      take,
      message: undefined,
    };
    stream.on("data", (part: Buffer) => {
      // Of what comes after the message nothing is kept: a client could go on for ever.
      if (request === undefined || request.message !== undefined) return;
      try {
        request.reader.push(part);
        request.message = request.reader.next();
      } catch (error) {
        this.fail(error);
      }
    });
    stream.on("end", () => {
      const whole = request;
      request = undefined;
      if (whole === undefined || this.over) return;
      try {
        if (whole.message === undefined) throw internal("the request ends without a whole message");
        whole.take(whole.message);
      } catch (error) {
        this.fail(error);
      }
    });
  }

  /** Calls back with each message, the next one when the promise before has settled, and with none at the end. */
  read(limit: number, take: (message: Buffer | undefined) => void | Promise<void>): void {
    const reader = new MessageReader(limit);
    const { stream } = this;
    let [ended, busy] = [false, false];
    const step = (): boolean => {
      if (busy || this.over) return false;
      const message = reader.next();
      if (message === undefined && !ended) return false;
      if (message === undefined && !reader.empty)
        throw internal("the request ends within a message");
      const later = take(message);
      if (later !== undefined) {
        busy = true;
        stream.pause();
        void later
          .catch((error: unknown) => this.fail(error))
          .finally(() => {
            busy = false;
            stream.resume();
            run();
          });
      }
      return message !== undefined;
    };
    const run = (): void => {
      try {
        while (step());
      } catch (error) {
        this.fail(error);
      }
    };
    stream.on("data", (part: Buffer) => {
      reader.push(part);
      run();
    });
    stream.on("end", () => {
      ended = true;
      run();
    });
  }

  /** Nothing more can be said. */
  get over(): boolean {
    return this.stream.destroyed || this.stream.closed || this.stream.writableEnded;
  }

  /** Says that the call has begun. */
  begin(): void {
    const { stream } = this;
    if (this.over || stream.headersSent) return;
    stream.respond(beginning(), withTrailers);
    stream.on("wantTrailers", () => {
      stream.sendTrailers(this.#trailers);
      this.#dropRest();
    });
  }

  /** False when the client is behind. */
  write(message: Uint8Array): boolean {
    if (this.over) return false;
    this.begin();
    return this.stream.write(toMessageBytes(message));
  }

  /** Answers with the one message that there is. */
  answer(message: Uint8Array): void {
    if (this.over) return;
    this.begin();
    this.stream.end(toMessageBytes(message));
  }

  end(): void {
    if (this.over) return;
    this.begin();
    this.stream.end();
  }

  fail(error: unknown): void {
    const { stream } = this;
    if (this.over) return;
    this.#trailers = toTrailers(error);
    if (stream.headersSent) {
      stream.end();
      return;
    }
    stream.respond(beginning(this.#trailers), withoutBody);
    this.#dropRest();
  }

  /** Nobody reads what a client goes on to say after the answer. Later than the answer, which a reset would overtake. */
  #dropRest(): void {
    const { stream } = this;
    if (!stream.readableEnded) setImmediate(() => stream.close());
  }
}

function internal(message: string): Error {
  return statusError({ status: grpcStatus.INTERNAL, message });
}
