import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** What one authority counts. Plain numbers on the way in, metrics when somebody asks. */
export interface Metrics {
  /** A tool call began. */
  called(tool: string): void;
  decided(verdict: string): void;
  /** A request failed with one of our codes. */
  failed(code: string): void;
  /** A request took so many seconds. */
  took(route: string, seconds: number): void;
  /** An audit stream opened (+1) or closed (-1). */
  streaming(change: 1 | -1): void;
  /** Prometheus text, process metrics included. */
  render(): Promise<{ type: string; text: string }>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const count = (name: string, label: string, help: string) => {
    const counts = new Map<string, number>();
    const counter: Counter = new Counter({
      name,
      help,
      labelNames: [label],
      registers,
      collect: () => {
        counter.reset();
        for (const [value, n] of counts) counter.inc({ [label]: value }, n);
      },
    });
    return (value: string) => void counts.set(value, (counts.get(value) ?? 0) + 1);
  };
  const duration = new Histogram({
    name: "agentkeys_request_duration_seconds",
    help: "Time from the whole body to the whole answer.",
    labelNames: ["route"],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers,
  });
  const durations = createSamples((route, seconds) => duration.observe({ route }, seconds));
  const streams = new Gauge({
    name: "agentkeys_audit_streams",
    help: "Open readers of the audit stream.",
    registers,
  });
  let complete = false;
  return {
    called: count("agentkeys_tool_calls_total", "tool", "Tool calls."),
    decided: count("agentkeys_decisions_total", "verdict", "Decisions of the policy."),
    failed: count("agentkeys_failures_total", "code", "Requests that failed."),
    took: durations.add,
    streaming: (change) => streams.inc(change),
    async render() {
      // Process metrics install observers: only where somebody scrapes.
      if (!complete) collectDefaultMetrics({ register: registry });
      complete = true;
      durations.flush();
      return { type: registry.contentType, text: await registry.metrics() };
    },
  };
}

/** Kept until somebody asks or there are many: one after the other they are counted several times as fast. */
function createSamples(observe: (route: string, seconds: number) => void) {
  const waiting = new Map<string, number[]>();
  const flush = (): void => {
    for (const [route, samples] of waiting) {
      for (const seconds of samples.splice(0)) observe(route, seconds);
    }
  };
  return {
    flush,
    add(route: string, seconds: number): void {
      const samples = waiting.get(route) ?? [];
      if (samples.push(seconds) === 1) waiting.set(route, samples);
      if (samples.length === 512) flush();
    },
  };
}
