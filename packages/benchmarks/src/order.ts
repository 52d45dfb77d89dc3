import type { GuardRow } from "@agentkeys/core";
import { z } from "zod";

/** The one tool of every measurement, in each framework's form. It does nothing, so that all that is left is the way to it. */
export const tool = {
  name: "order_food",
  description: "Orders a dish",
  schema: z.object({ dish: z.string(), price: z.number(), note: z.string() }),
};

export type Order = z.infer<typeof tool.schema>;

export const order: Order = { dish: "noodles", price: 200, note: "no coriander, please" };

/** Governed as a payment: a mapped amount, a field in clear, the rest as a digest. */
export const row: GuardRow<Order> = {
  scope: "payment.spend",
  params: ({ price }) => ({ amount_rmb: price }),
  record: ["dish"],
};
