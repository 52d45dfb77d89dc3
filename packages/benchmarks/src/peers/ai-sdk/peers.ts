import { call } from "../../matrix/ai-sdk/run.ts";
import { type Peer, playsOf, type SeamPlay } from "../peer.ts";
import type { PolicyFault } from "../policy.ts";
import { approvals } from "./approvals.ts";
import { calls } from "./calls.ts";
import { type CodeMode, inCodeMode, reaching } from "./reaching.ts";
import { run } from "./run.ts";
import type { Seam } from "./seam.ts";

const script = [[call(200), call(100)], "done"] as const;

const policy =
  (fault: PolicyFault): SeamPlay<Seam> =>
  async (seam, stage, mode) => {
    const open = await seam.open(stage, { withSource: true });
    stage.policy.fault = fault;
    const played = await run(open, stage, { mode, script });
    return { wanted: [], refused: 2, ...played, recordable: false };
  };

const record =
  (fault: "fails" | "hangs"): SeamPlay<Seam> =>
  (seam, stage, mode) => {
    const play = async () => {
      stage.sinkFault = fault;
      const played = await run(await seam.open(stage), stage, { mode, script });
      return { wanted: [], refused: 2, ...played, recordable: false };
    };
    const isThere = seam.records && seam.notes[`record ${fault}`] === undefined;
    return isThere ? play() : null;
  };

/** A peer in the AI SDK. Without code mode's package that shape is left out. */
export function aiSdkPeer(seam: Seam, codeMode: CodeMode | undefined): Peer {
  const { name, join, records, notes } = seam;
  const plays = playsOf(seam, {
    ...calls,
    ...reaching,
    ...approvals,
    "code mode": codeMode === undefined ? () => null : inCodeMode(codeMode),
    "policy down": (...given) => (seam.hasSource ? policy("throws")(...given) : null),
    "policy throws": (...given) => (seam.hasSource ? null : policy("throws")(...given)),
    "policy hangs": policy("hangs"),
    "policy garbage": policy("garbage"),
    "record fails": record("fails"),
    "record hangs": record("hangs"),
  });
  return { name, join, records, notes, plays };
}
