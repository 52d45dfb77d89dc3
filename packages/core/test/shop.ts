import { actor, identity, operator } from "./stand-in.ts";

/** An authority's options: mails are asked about, searches go through. */
export const shop = {
  env: { VENDOR: identity.token, OPERATOR: "operator-token" },
  config: {
    vendors: { shop: { token: "env:VENDOR" } },
    operators: { [operator]: { token: "env:OPERATOR" } },
    actors: {
      [actor]: {
        operator,
        vendor: "shop",
        scopes: { "mail.send": "ask", "web.search": "allow" },
      },
    },
  },
} as const;

export const tools = { mail: { scope: "mail.send" }, search: { scope: "web.search" } };
