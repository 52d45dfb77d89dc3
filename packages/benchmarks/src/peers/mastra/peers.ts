import { type Peer, playsOf } from "../peer.ts";
import { approvals } from "./approvals.ts";
import { calls } from "./calls.ts";
import { hooks, requireToolApproval } from "./guards.ts";
import { reaching } from "./reaching.ts";
import type { Seam } from "./seam.ts";

function peerOf(seam: Seam): Peer {
  const { name, join, records, notes } = seam;
  const plays = playsOf(seam, { ...calls, ...reaching, ...approvals });
  return { name, join, records, notes, plays };
}

export const mastraHooks: Peer = peerOf(hooks);
export const mastraApproval: Peer = peerOf(requireToolApproval);
