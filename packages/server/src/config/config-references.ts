import type { Problem } from "./config-problems.ts";

/** A map of a configuration that may still be malformed: what is no map counts as empty. */
type Loose = Readonly<Record<string, unknown>>;

function mapAt(value: unknown, key: string): Loose {
  const found = typeof value === "object" && value !== null ? (value as Loose)[key] : undefined;
  return typeof found === "object" && found !== null ? (found as Loose) : {};
}

/** Vendors and operators that an actor names and nobody declares, and omnis that stand twice in different case. */
export function danglingReferences(config: unknown): Problem[] {
  const vendors = new Set(Object.keys(mapAt(config, "vendors")));
  const operators = mapAt(config, "operators");
  const actors = mapAt(config, "actors");
  const owners = new Set(Object.keys(operators).map((omni) => omni.toLowerCase()));
  const dangling = Object.keys(actors).flatMap((omni): Problem[] => {
    const { vendor, operator } = mapAt(actors, omni);
    const path = ["actors", omni];
    return [
      ...(typeof vendor === "string" && !vendors.has(vendor)
        ? [
            {
              path: [...path, "vendor"],
              message: "expected the name of a vendor listed under vendors",
            },
          ]
        : []),
      ...(typeof operator === "string" && !owners.has(operator.toLowerCase())
        ? [{ path: [...path, "operator"], message: "expected an omni listed under operators" }]
        : []),
    ];
  });
  return [...dangling, ...sameOmni("operators", operators), ...sameOmni("actors", actors)];
}

function sameOmni(section: string, map: Loose): Problem[] {
  const seen = new Set<string>();
  return Object.keys(map).flatMap((omni) => {
    const known = seen.has(omni.toLowerCase());
    seen.add(omni.toLowerCase());
    return known ? [{ path: [section, omni], message: "this omni is listed twice" }] : [];
  });
}

type Holders = Readonly<Record<string, { readonly token: string }>>;

/** Two who hold the same token could not be told apart, and a vendor's could open operator routes. */
export function twins(config: {
  vendors?: Holders | undefined;
  operators?: Holders | undefined;
}): Problem[] {
  const owners = new Map<string, string>();
  const problems: Problem[] = [];
  for (const section of ["vendors", "operators"] as const) {
    for (const [name, { token }] of Object.entries(config[section] ?? {})) {
      const other = owners.get(token);
      owners.set(token, `${section}.${name}`);
      if (other === undefined) continue;
      problems.push({ path: [section, name, "token"], message: `the same secret as ${other}` });
    }
  }
  return problems;
}
