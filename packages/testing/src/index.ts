export { assertDenied, assertRecorded } from "./assertions.ts";
export type { WireFault } from "./faulty-fetch.ts";
export type {
  AgentResult,
  AgentRun,
  FrameworkDriver,
  SuiteTool,
  ToolAnswer,
} from "./framework-driver.ts";
export {
  type ExpectedDenial,
  type ExpectedRecord,
  findRecords,
  type LogSource,
} from "./match-record.ts";
export {
  mockAuthority,
  type MockAuthority,
  type MockAuthorityOptions,
  type Trouble,
} from "./mock-authority.ts";
export type { ActorRules, MockIdentity } from "./mock-config.ts";
export type { Recorded, RecordedFacts } from "./recorded.ts";
export { turnsOf, type Script, type ScriptedCall } from "./script.ts";
