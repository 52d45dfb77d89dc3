import { expectTypeOf } from "vitest";
import type { ToolInput, ToolOutput } from "./tool.ts";
import type { Tools } from "./tools.ts";

type Get = ToolInput<Tools["memory_get"]>;
expectTypeOf<{ namespace: string }>().toExtend<Get>();
expectTypeOf<{ actor: string; namespace: string }>().toExtend<Get>();
expectTypeOf<{ actor: string }>().not.toExtend<Get>();
expectTypeOf<{ namespace: number }>().not.toExtend<Get>();

type Mint = ToolInput<Tools["cap_mint"]>;
expectTypeOf<{ op: "memory_put"; params: { service: string }; ttl: number }>().toExtend<Mint>();
expectTypeOf<{ op: "memory_put" }>().toExtend<Mint>();
expectTypeOf<{ op: "nonsense" }>().not.toExtend<Mint>();

type Append = ToolInput<Tools["audit_append"]>;
expectTypeOf<{ event: { op_kind: number; result: 0 } }>().toExtend<Append>();
expectTypeOf<{ event: { op_kind: number; result: 3 } }>().not.toExtend<Append>();

type Check = ToolInput<Tools["permission_check"]>;
expectTypeOf<{ scope: string; params: { amount_rmb: number } }>().toExtend<Check>();

expectTypeOf<ToolOutput<Tools["memory_get"]>["content"]>().toEqualTypeOf<string>();
