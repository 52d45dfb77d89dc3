import type { ScriptedCall } from "@agentkeys/testing";
import { faults } from "./faults.ts";
import type { Played } from "./observe.ts";
import type { Play } from "./play.ts";
import type { Mode } from "./shapes.ts";
import { type Stage, unlucky } from "./stage.ts";

interface Framework {
  call(price: number): ScriptedCall;
  run(
    stage: Stage,
    mode: Mode,
    options: { script: (ScriptedCall[] | string)[] },
  ): Promise<Pick<Played, "read" | "survived">>;
}

/** What goes wrong between a guard and its authority is the same in every framework. */
export function authorityPlays({ call, run }: Framework) {
  const failing = (name: keyof typeof faults): Play => {
    return async (stage, mode) => {
      stage.through(faults[name]);
      const played = await run(stage, mode, { script: [[call(200), call(100)], "done"] });
      return { wanted: [], refused: 2, ...played, recordable: false };
    };
  };
  const throwing: Play = async (stage, mode) => {
    const script = [[call(unlucky), call(200)], "done"];
    return { wanted: [200], refused: 1, ...(await run(stage, mode, { script })) };
  };
  return {
    "policy down": failing("policy down"),
    "policy hangs": failing("policy hangs"),
    "policy garbage": failing("policy garbage"),
    "policy throws": throwing,
    "record fails": failing("record fails"),
    "record hangs": failing("record hangs"),
  };
}
