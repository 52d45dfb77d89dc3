const operator = `0x${"07".repeat(32)}`;
const actor = `0x${"a0".repeat(32)}`;
const token = "benchmark-vendor-token";

/** Who asks, in every measurement. */
export const identity = { token, actor, operator, deviceKeyHash: `0x${"de".repeat(32)}` };

/** An authority that knows this identity and lets it pay. */
export const authorityOptions = {
  env: { VENDOR_TOKEN: token, OPERATOR_TOKEN: "benchmark-operator-token" },
  config: {
    vendors: { benchmarks: { token: "env:VENDOR_TOKEN" } },
    operators: { [operator]: { token: "env:OPERATOR_TOKEN" } },
    actors: {
      [actor]: {
        operator,
        vendor: "benchmarks",
        namespaces: ["travel"],
        services: [],
        scopes: { "payment.spend": { currency: "RMB", per_call: 500 } },
      },
    },
  },
};
