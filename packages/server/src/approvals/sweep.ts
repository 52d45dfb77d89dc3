import { unixNow } from "../audit/records.ts";
import type { Services } from "../services.ts";
import { expireOverdue } from "./expire.ts";

/** Milliseconds. */
const EVERY = 600_000;

/** Now and then drops what has been kept long enough, whether or not anybody looks. Gives the function that ends it. */
export function startSweep(services: Services): () => void {
  const { store, log, asked } = services;
  let ended = false;
  const sweep = async () => {
    asked.forget();
    try {
      await store.forgetOldResults(unixNow(services));
      await expireOverdue(services);
    } catch (error) {
      if (!ended) log.warn({ err: error }, "what is over could not be dropped");
    }
  };
  void sweep();
  const timer = setInterval(() => void sweep(), EVERY);
  timer.unref();
  return () => {
    ended = true;
    clearInterval(timer);
  };
}
