import { expect, test } from "vitest";
// #region readme
import { encodeEnvelope, envelopeHash, tools } from "@agentkeys/contract";
// #endregion

test("an envelope and a row of the tool table", () => {
  // #region readme
  const bytes = encodeEnvelope({
    version: 1,
    ts_unix: 1_700_000_000,
    actor_omni: `0x${"11".repeat(32)}`,
    operator_omni: `0x${"22".repeat(32)}`,
    op_kind: 110, // runtime.tool_result
    op_body: { tool: "order_food", call_id: "c1", is_error: false },
    result: 0,
    intent_text: null,
    intent_commitment: null,
  });
  console.log(envelopeHash(bytes)); // keccak256 of the canonical CBOR, as every upstream decoder computes it
  console.log(tools.memory_get.id); // agentkeys.memory.get
  // #endregion
  expect(envelopeHash(bytes)).toMatch(/^0x[0-9a-f]{64}$/);
  expect(tools.memory_get.id).toBe("agentkeys.memory.get");
});
