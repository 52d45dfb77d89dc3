import type { Answer, Observation } from "../matrix/observe.ts";
import { type Mode, type ShapeName, shapeNames, slowShapes } from "../matrix/shapes.ts";
import {
  openPeerStage,
  type Peer,
  type PeerCell,
  type PeerPlayed,
  type PeerStage,
} from "./peer.ts";

/** How long a play may take before nobody is thought to answer, in milliseconds. */
export const patience = 5000;

/** The modes that every framework has. */
export const peerModes = ["invoke", "stream"] as const satisfies Mode[];

export type PeerCells = ReadonlyMap<string, PeerCell>;

export const cellKey = (name: string, shape: ShapeName, mode: Mode): string =>
  `${name}, ${shape}, ${mode}`;

/**
 * Every cell of the peers. One after another, so that an unhandled rejection belongs to the one that is played; those in which
 * nobody may answer at the end and together.
 */
export async function playPeers(peers: readonly Peer[]): Promise<PeerCells> {
  const cells = new Map<string, PeerCell>();
  const play = async (peer: Peer, shape: ShapeName, mode: Mode): Promise<void> => {
    cells.set(cellKey(peer.name, shape, mode), await playPeer(peer, shape, mode));
  };
  const all = peers.flatMap((peer) =>
    shapeNames.flatMap((shape) => peerModes.map((mode) => ({ peer, shape, mode }))),
  );
  let rejected = false;
  const notice = (): void => void (rejected = true);
  process.on("unhandledRejection", notice);
  for (const { peer, shape, mode } of all.filter(({ shape: one }) => !slowShapes.has(one))) {
    rejected = false;
    await play(peer, shape, mode);
    await new Promise((later) => setTimeout(later, 5));
    if (rejected) cells.set(cellKey(peer.name, shape, mode), "crash");
  }
  await Promise.all(
    all
      .filter(({ shape }) => slowShapes.has(shape))
      .map(({ peer, shape, mode }) => play(peer, shape, mode)),
  );
  process.off("unhandledRejection", notice);
  return cells;
}

async function playPeer(peer: Peer, shape: ShapeName, mode: Mode): Promise<PeerCell> {
  await using stage = openPeerStage();
  const playing = peer.plays[shape](stage, mode);
  if (playing === null) return "n/a";
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"hung">((resolve) => {
    timer = setTimeout(() => resolve("hung"), patience);
  });
  try {
    const played = await Promise.race([playing, late]);
    if (played !== "hung") return observePeer(peer, stage, played);
    return stage.effects.length === 0 ? "hung" : observePeer(peer, stage, nothingWanted);
  } catch (cause) {
    throw new Error(`${peer.name}, ${shape}, ${mode}: the play broke`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

const nothingWanted: PeerPlayed = { wanted: [], refused: 0, read: [], survived: false };

/** As cells of our own matrix are read, but for the words of a refusal. */
function observePeer(peer: Peer, stage: PeerStage, played: PeerPlayed): Observation {
  const { wanted, may = [], refused, survived, recordable = true } = played;
  const { effects, log } = stage;
  const left = effects.map(({ price }) => price);
  const take = (price: number): boolean => {
    const at = left.indexOf(price);
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  };
  const missing = wanted.filter((price) => !take(price));
  for (const price of may) take(price);
  const noted = log.filter((entry) => !entry.refused).length;
  const complete = noted >= effects.length && log.length - noted >= refused;
  return {
    ran: answer(left.length > 0),
    denied: wasRead(played),
    recorded: peer.records && recordable ? answer(complete) : "-",
    survived: answer(survived),
    done: wanted.length === 0 ? "-" : answer(missing.length === 0),
  };
}

/** Whatever is no payment counts as a refusal, in nobody's special words. */
export function wasRead({ read, refused }: PeerPlayed): Answer {
  if (refused === 0) return "-";
  return answer(read.filter((text) => !/paid \d/.test(text)).length >= refused);
}

function answer(yes: boolean): Answer {
  return yes ? "yes" : "no";
}
