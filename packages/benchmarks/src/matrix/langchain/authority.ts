import { faults } from "../faults.ts";
import type { Play } from "../play.ts";
import { call, run } from "./run.ts";

const failing = (name: keyof typeof faults): Play => {
  return async (stage, mode) => {
    stage.through(faults[name]);
    const script = [[call(200), call(100)], "done"];
    const played = await run(stage, mode, { script });
    return { wanted: [], refused: 2, ...played, recordable: false };
  };
};

export const authority = {
  "policy hangs": failing("policy hangs"),
  "policy garbage": failing("policy garbage"),
  "record fails": failing("record fails"),
  "record hangs": failing("record hangs"),
};
