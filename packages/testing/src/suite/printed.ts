import fs from "node:fs";
import { onTestFinished, vi } from "vitest";

const writers = ["log", "info", "warn", "error", "debug"] as const;

/** Everything that this process prints from now on to the end of the test: streams, console, and what a logger writes to a descriptor. */
export function listenToPrints(): () => string {
  const lines: string[] = [];
  const note = (...parts: unknown[]): void => void lines.push(parts.map(String).join(" "));
  const spies = [
    ...[process.stdout, process.stderr].map((stream) =>
      vi.spyOn(stream, "write").mockImplementation((text) => {
        note(text);
        return true;
      }),
    ),
    ...writers.map((name) => vi.spyOn(console, name).mockImplementation(note)),
    vi.spyOn(fs, "writeSync").mockImplementation((_descriptor, text) => {
      note(text);
      return Buffer.byteLength(text);
    }),
  ];
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore();
  });
  return () => lines.join("\n");
}
