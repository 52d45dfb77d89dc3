import { guardTools, withAgentKeys } from "@agentkeys/ai-sdk";
import { frameworks as all } from "../matrix/frameworks.ts";
import { observe } from "../matrix/observe.ts";
import { type Cell, playCell, type Plays } from "../matrix/play.ts";
import { type Mode, type ShapeName, shapeNames } from "../matrix/shapes.ts";
import { openStage } from "../matrix/stage.ts";
import { approval } from "./ai-sdk/approval.ts";
import { type CodeMode, inCodeMode } from "./ai-sdk/reaching.ts";
import { openPeerStage } from "./peer.ts";
import { cellKey, peerModes, type PeerCells, wasRead } from "./play-peer.ts";
import type { Column } from "./render-peers.ts";

/** Our packages for the frameworks that peers are played in. */
const compared = new Set(["AI SDK", "LangChain.js", "Mastra"]);
const frameworks = all.filter(({ framework }) => compared.has(framework));

const nameOf = ({ framework }: Plays): string => `AgentKeys, ${framework}`;

export const ourColumns: readonly Column[] = frameworks.map((plays) => ({
  name: nameOf(plays),
  isOurs: true,
  join: `\`withAgentKeys\`, with an authority in memory; notes are with its matrix.${more(plays)}`,
  notes: {},
}));

function more({ framework }: Plays): string {
  if (framework !== "AI SDK") return "";
  return " Code mode is the real package here, which tells its program of any refusal `Host tool failed.` and not why.";
}

/** Our own matrix once more, in this run and this process. With code mode's package that shape is no simulation. */
export async function playOurs(codeMode: CodeMode | undefined): Promise<PeerCells> {
  const cells = new Map<string, Cell>();
  for (const plays of frameworks) {
    for (const shape of shapeNames) {
      for (const mode of peerModes) {
        cells.set(
          cellKey(nameOf(plays), shape, mode),
          await play(plays, { shape, mode, codeMode }),
        );
      }
    }
  }
  return cells;
}

interface What {
  readonly shape: ShapeName;
  readonly mode: Mode;
  readonly codeMode: CodeMode | undefined;
}

function play(plays: Plays, { shape, mode, codeMode }: What): Promise<Cell> {
  const isReal = plays.framework === "AI SDK" && shape === "code mode" && codeMode !== undefined;
  return isReal ? playCodeMode(mode, codeMode) : playCell(plays, shape, mode);
}

async function playCodeMode(mode: Mode, codeMode: CodeMode): Promise<Cell> {
  await using stage = await openStage(20_000);
  await using at = openPeerStage();
  const { guard, pay, effects } = stage;
  const open = {
    agent: (settings: Parameters<typeof withAgentKeys>[1]) =>
      withAgentKeys(guard, settings, { tools: false }),
    tools: (tools: Parameters<typeof guardTools>[1]) => guardTools(guard, tools),
  };
  const seam = { ...approval, open: async () => open as never };
  const played = await inCodeMode(codeMode)(seam, { ...at, pay, effects }, mode);
  if (played === null) return "n/a";
  return { ...observe(played, effects, await stage.records()), denied: wasRead(played) };
}
