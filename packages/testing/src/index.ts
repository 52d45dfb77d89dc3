export type {
  AgentResult,
  AgentRun,
  FrameworkDriver,
  SuiteTool,
  ToolAnswer,
} from "./framework-driver.ts";
export { turnsOf, type Script, type ScriptedCall } from "./script.ts";
