import { readFileSync } from "node:fs";
import { builtinModules, createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";
import { beforeAll, describe, expect, test } from "vitest";
import vectors from "../vectors.json" with { type: "json" };

interface Chunk {
  code: string;
  imports: string[];
  dynamicImports: string[];
  moduleIds: string[];
}
interface Bundler {
  rolldown(options: object): Promise<{ generate(options: object): Promise<{ output: Chunk[] }> }>;
}

/** The bundler that the test runner brings along. */
async function bundle(entry: string): Promise<Chunk> {
  const fromVitest = createRequire(createRequire(import.meta.url).resolve("vitest/package.json"));
  const fromVite = createRequire(fromVitest.resolve("vite/package.json"));
  const { rolldown } = (await import(fromVite.resolve("rolldown"))) as Bundler;
  const build = await rolldown({
    input: entry,
    platform: "browser",
    logLevel: "silent",
    treeshake: false,
  });
  const { output } = await build.generate({
    format: "iife",
    name: "contract",
    codeSplitting: false,
  });
  const [chunk, ...more] = output;
  if (chunk === undefined || more.length > 0) throw new Error("not one chunk");
  return chunk;
}

describe("the package in a browser", () => {
  let chunk: Chunk;
  beforeAll(async () => {
    chunk = await bundle(fileURLToPath(new URL("index.ts", import.meta.url)));
  });

  test("imports nothing that is not bundled: no Node built-in, with or without node:", () => {
    const specifiers = [...chunk.imports, ...chunk.dynamicImports];
    expect(
      specifiers.filter((name) => name.startsWith("node:") || builtinModules.includes(name)),
    ).toEqual([]);
    expect(specifiers).toEqual([]);
  });

  test("own source names no global that only Node has", () => {
    const own = chunk.moduleIds.filter((id) =>
      id.startsWith(fileURLToPath(new URL(".", import.meta.url))),
    );
    expect(own.length).toBeGreaterThan(10);
    const nodeOnly =
      /\b(process|Buffer|global|require|module|__dirname|__filename|setImmediate)\b(?!["'`:])/;
    for (const file of own) {
      // Comments and texts may say such words.
      const code = readFileSync(file, "utf8").replace(
        /\/\*[^]*?\*\/|\/\/.*|"[^"\n]*"|`[^`]*`/g,
        "",
      );
      expect(nodeOnly.exec(code)?.[0], file).toBeUndefined();
    }
  });

  test("runs where there are web globals only", () => {
    const web = { TextEncoder, TextDecoder, atob, btoa, URL, Uint8Array, Uint32Array };
    const context = createContext(web);
    runInContext(
      chunk.code.replace(/^(var|const|let) contract\b/m, "globalThis.contract"),
      context,
    );
    const input = JSON.stringify({
      envelopes: vectors.computed.envelopes,
      cap: vectors.run.cap_signature,
    });
    const program = `
      const { envelopes, cap } = contract.toJsonValue(contract.parseJson(input));
      const hashes = envelopes.map((row) => contract.envelopeHash(contract.encodeEnvelope(row.envelope_json)));
      const token = { payload: JSON.parse(cap.payload_json), broker_sig: cap.broker_sig };
      JSON.stringify({ hashes, verified: contract.verifyCap(token, cap.p256_public_key_pem), node: typeof process + typeof Buffer });
    `;
    Object.assign(context, { input });
    expect(JSON.parse(runInContext(program, context) as string)).toEqual({
      hashes: vectors.computed.envelopes.map((row) => row.envelope_hash_hex),
      verified: true,
      node: "undefinedundefined",
    });
  });
});
