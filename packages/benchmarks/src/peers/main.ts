import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describeMachine } from "../machine.ts";
import { agt, type AgtSdk } from "./ai-sdk/agt.ts";
import { approval, signed } from "./ai-sdk/approval.ts";
import { aiSdkPeer } from "./ai-sdk/peers.ts";
import { policyOpa, type PolicyOpa } from "./ai-sdk/policy-opa.ts";
import type { CodeMode } from "./ai-sdk/reaching.ts";
import { installApart } from "./install.ts";
import { langchainHitl } from "./langchain/peers.ts";
import { mastraApproval, mastraHooks } from "./mastra/peers.ts";
import { ourColumns, playOurs } from "./ours.ts";
import { measureOverhead } from "./overhead.ts";
import { packageFolder } from "./package-folder.ts";
import type { Peer } from "./peer.ts";
import { playPeers } from "./play-peer.ts";
import { type PeersReport, renderPeers } from "./render-peers.ts";
import { type Apart, versions } from "./versions.ts";

const docs = fileURLToPath(new URL("../../../../docs/peers.md", import.meta.url));
/** The frameworks that the run is about, from this package. */
const own = ["ai", "langchain", "@langchain/core", "@langchain/langgraph", "@mastra/core"];

async function measure(): Promise<PeersReport> {
  await using directory = await mkdtempDisposable(join(tmpdir(), "agentkeys-peers-"));
  const missing: string[] = [];
  const had: Record<string, string> = Object.fromEntries(
    await Promise.all(own.map(async (name) => [name, await versionOf(name)])),
  );
  const module = async <T>(set: Apart, name: string): Promise<T | undefined> => {
    const installed = await installApart(set, directory.path);
    if ("missing" in installed) missing.push(`${set}: ${installed.missing}`);
    else Object.assign(had, versions[set]);
    return "missing" in installed ? undefined : (installed.get(name) as T);
  };
  const opa = await module<PolicyOpa>("policy-opa", "@ai-sdk/policy-opa");
  const mesh = await module<AgtSdk>("agt", "@microsoft/agent-governance-sdk");
  const codeMode = await module<CodeMode>("code mode", "@ai-sdk/code-mode");
  const { node, cores, load } = describeMachine(directory.path, "");

  // First: what is played fills the heap.
  const rounds = { rounds: 60, warmup: 10, calls: 400 };
  const overhead = mesh && (await measureOverhead(mesh, rounds));
  const seams = [approval, signed, ...(opa ? [policyOpa(opa)] : []), ...(mesh ? [agt(mesh)] : [])];
  const peers: Peer[] = [
    ...seams.map((seam) => aiSdkPeer(seam, codeMode)),
    langchainHitl,
    mastraHooks,
    mastraApproval,
  ];
  const ours = await playOurs(codeMode);
  return {
    day: new Date().toISOString().slice(0, 10),
    machine: `Node ${node}, ${cores} cores, load ${load.join(" ")} at the start`,
    versions: had,
    columns: [...ourColumns, ...peers.map((peer) => ({ ...peer, isOurs: false }))],
    cells: new Map([...ours, ...(await playPeers(peers))]),
    overhead,
    missing,
  };
}

async function versionOf(name: string): Promise<string> {
  const text = await readFile(join(packageFolder(name), "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

// Whoever waits for an answer in this process alone keeps nothing alive.
setInterval(() => {}, 1000);
const report = await measure();
const page = renderPeers(report);
process.stdout.write(page);
for (const one of report.missing) console.error(`not in this run: ${one}`);
if (process.argv.includes("--update")) {
  if (report.missing.length > 0) {
    console.error("docs/peers.md is left as it is: something is missing");
    process.exitCode = 1;
  } else await writeFile(docs, page);
}
// Policies that never answer are still waited for.
process.exit();
