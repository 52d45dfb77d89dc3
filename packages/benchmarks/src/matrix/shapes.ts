/** How an agent can come to run a tool, and what can go wrong on the way. */
export const shapes = {
  direct: "one call that policy denies, then one that it allows",
  parallel: "twelve calls in one turn, every second one denied",
  "sub-agent, guarded objects": "a tool runs an inner agent that was given guarded tools",
  "sub-agent, raw tools": "a tool runs an inner agent that was built with raw tools",
  "called directly": "a tool object is called with no agent around it",
  "called by hand": "the body of a guarded tool calls the function of a raw one itself",
  background: "a tool goes on working, and calling tools, after it has answered",
  handoff: "the run is handed to another agent of the same system",
  "agent as tool": "the framework's own way to offer an agent to an agent",
  "code mode": "a program that the model wrote calls the tools",
  "MCP tool": "a tool that an MCP server lists",
  "dynamic tool": "a tool that appears only while the agent runs",
  "provider-executed": "a tool that the model's provider runs",
  renamed: "a denied function under a name that no row governs",
  "input mutated": "the input is changed while the authority decides",
  "edited after approval": "a person approves one input and another one is resumed",
  resumed: "a person approves and the run is resumed, in another agent instance",
  "two asks": "a person says yes to one call of a turn and no to another",
  "resumed twice at once": "two resumes of one approval at the same moment",
  retried: "something around the tool calls it again after it failed",
  "call id repeated": "the model uses one call id for two calls",
  "per-run override": "an option of one run replaces the agent-level seam",
  "jump around": "a middleware or hook outside runs the tool by itself",
  throwing: "the tool throws",
  "timing out": "the tool takes longer than the run waits",
  aborted: "the run is aborted while the authority decides",
  generator: "the tool is an async generator",
  "forged approval": "the client's history says that a person approved",
  "resumed early": "the run is resumed before anybody has decided",
  "own telemetry": "an inner agent with raw tools and its own callbacks or telemetry",
  "policy down": "the authority cannot be reached",
  "policy hangs": "the authority never answers",
  "policy garbage": "the authority answers with another program's page",
  "policy throws": "the program's own rule for the tool throws",
  "record fails": "the authority cannot write the record",
  "record hangs": "the authority never finishes writing the record",
} as const;

export type ShapeName = keyof typeof shapes;

export const shapeNames = Object.keys(shapes) as ShapeName[];

/** Those in which a decision is waited for in vain. */
export const slowShapes: ReadonlySet<ShapeName> = new Set(["policy hangs", "record hangs"]);

/** How a run is started. Frameworks lack some. */
export const modes = ["invoke", "stream", "events", "batch"] as const;
export type Mode = (typeof modes)[number];
