/** One call that a scripted model makes. */
export interface ScriptedCall {
  name: string;
  input: unknown;
  /** Default: `call-1`, `call-2`, … through the script. */
  id?: string;
}

/** What a scripted model answers, turn by turn: a text ends the run, calls go on. After the last turn it repeats the last. */
export type Script = readonly (string | readonly ScriptedCall[])[];

/** The turns of a script with every call's id filled in. */
export function turnsOf(script: Script): (string | Required<ScriptedCall>[])[] {
  let n = 0;
  return script.map((turn) =>
    typeof turn === "string"
      ? turn
      : turn.map((call) => {
          n += 1;
          return { ...call, id: call.id ?? `call-${n}` };
        }),
  );
}
