import type { Guard } from "@agentkeys/core";
import type { Script } from "@agentkeys/testing";

/** What the user's own tools do. Everything here is counted, so that "it never ran" is a fact. */
export interface Shop {
  search(query: string): string;
  order(dish: string, price: number): Promise<string>;
}

/** One tool call as the model saw it. */
export interface Exchange {
  tool: string;
  input: unknown;
  /** The framework's denied or error form. */
  refused: boolean;
  answer: string;
}

/** One run of an agent: what it called, and its last words. */
export interface Said {
  exchanges: Exchange[];
  text: string;
}

/** Runs the agent on one request. The script is what a scripted model answers; a real model ignores it. */
export type Agent = (request: string, script: Script) => Promise<Said>;

export type CreateAgent = (guard: Guard, shop: Shop) => Agent;

export const instructions =
  "You are a shopping assistant. Use your tools for what the user asks, one call at a time, exactly as asked. " +
  "When a tool refuses, do not try another way: tell the user the reason and go on with the rest.";
