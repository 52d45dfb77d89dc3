import * as z from "zod";
import { resolveSecret, type SecretPlaces } from "./secret-references.ts";

interface Issue {
  readonly code?: string;
  readonly input?: unknown;
}

/** "missing: expected …" or "expected …". */
function expects(what: string) {
  return {
    error: ({ input }: Issue) =>
      input === undefined ? `missing: expected ${what}` : `expected ${what}`,
  };
}

/** For maps with fixed keys. */
function fields(what: string, keys: readonly string[]) {
  return {
    error: (issue: Issue) =>
      issue.code === "unrecognized_keys"
        ? `unknown key: expected ${keys.join(", ")}`
        : expects(what).error(issue),
  };
}

const amount = z
  .int(expects("a whole number of currency units, 0 or more"))
  .min(0, "expected a whole number of currency units, 0 or more");

const approverList = "a list of 1 to 100 names, each of them another person's";

/** Two ways of writing one name would be two votes of one person. */
const sameName = (name: string): string => name.normalize("NFKC").toLowerCase();

const quorum = z
  .strictObject(
    {
      approvers: z
        .array(
          z
            .string("expected a name")
            .regex(/^[^\s\p{C}]{1,128}$/u, "expected a name of 1 to 128 characters without spaces"),
          expects(approverList),
        )
        .min(1, `expected ${approverList}`)
        .max(100, `expected ${approverList}`)
        .refine(
          (given) => new Set(given.map(sameName)).size === given.length,
          `expected ${approverList}`,
        )
        .describe("Who may vote: their names in the coordination runtime."),
      required: z
        .int(expects("how many of the approvers must approve"))
        .min(1, "expected 1 or more")
        .describe("How many of them must approve."),
    },
    fields("a map of approvers and required", ["approvers", "required"]),
  )
  .refine(({ approvers, required }) => required <= approvers.length, {
    path: ["required"],
    message: "expected at most as many as there are approvers",
  })
  .describe("People who decide together; nobody approves alone.");

const spending = z.strictObject(
  {
    currency: z
      .string(expects("a currency of three capital letters, for example RMB"))
      .regex(/^[A-Z]{3}$/, "expected a currency of three capital letters, for example RMB")
      .describe("The amount is read from `amount_<currency>`, lower case, or `amount`."),
    per_call: amount.describe("More in one call is denied. Whole currency units."),
    ask_above: amount
      .optional()
      .describe("More in one call needs an approval. Whole currency units."),
    quorum: quorum
      .optional()
      .describe("Who decides on what is above `ask_above`. Default: the operator."),
  },
  fields("a map of currency, per_call, ask_above and quorum", [
    "currency",
    "per_call",
    "ask_above",
    "quorum",
  ]),
);

const byQuorum = z
  .strictObject({ quorum }, fields("a map with a quorum", ["quorum"]))
  .describe("Every use needs an approval of these people.");

/** The last two are maps: `meant` tells which of them. */
const scopeRule = z.union(
  [z.enum(["allow", "ask", "deny"]), byQuorum, spending],
  expects("allow, ask, deny, a map with a quorum, or a map of currency, per_call and ask_above"),
);

const omniText = "an omni: 0x and 64 hex digits";
const omni = z.string(expects(omniText)).regex(/^0x[0-9a-fA-F]{64}$/, `expected ${omniText}`);
const scopeName = z.string().regex(/^[^\s]{1,128}$/, "expected a scope, for example payment.spend");

/** Names that a signed capability can carry: in 64 bytes of UTF-8, for a namespace after `memory:`. */
function names(what: string, bytes: number) {
  const message = `expected a ${what} of 1 to ${bytes} bytes without * ? / \\ and ..`;
  const name = z
    .string(message)
    .regex(/^(?!.*\.\.)[^*?/\\]+$/, message)
    .refine((text) => Buffer.byteLength(text) <= bytes, message);
  return z.array(name, expects(`a list of ${what}s`)).optional();
}

const actor = z.strictObject(
  {
    operator: omni.describe("The operator, listed under operators, for whom this actor acts."),
    vendor: z
      .string(expects("the name of a vendor"))
      .optional()
      .describe(
        "The vendor, listed under vendors, whose token may speak for this actor. Default: any.",
      ),
    namespaces: names("namespace", 57).describe(
      "Memory that this actor reads and writes; anything else is an empty result and an audit row.",
    ),
    services: names("service", 64).describe("Credentials that this actor's programs may fetch."),
    scopes: z
      .record(scopeName, scopeRule, expects("a map of scopes"))
      .optional()
      .describe(
        "Closed world: what is not here is denied. `*` stands for every scope that is not here.",
      ),
  },
  fields("a map of an actor's settings", [
    "operator",
    "vendor",
    "namespaces",
    "services",
    "scopes",
  ]),
);

const seconds = "a whole number of seconds from 1 to 2592000 (30 days)";
const approvals = z.strictObject(
  {
    ttl_seconds: z
      .int(expects(seconds))
      .min(1, `expected ${seconds}`)
      .max(2_592_000, `expected ${seconds}`)
      .optional()
      .describe("How long a person may take, and a grant may wait to be used. Default: 900."),
  },
  fields("a map with ttl_seconds", ["ttl_seconds"]),
);

/** `token` is the schema of a bearer; everything else is the same for files and objects. */
function configSchema<T extends z.ZodType<unknown, string>>(token: T) {
  const holder = z.strictObject({ token }, fields("a map with a token", ["token"]));
  const sections = {
    vendors: z
      .record(
        z.string().regex(/^[\w.-]{1,64}$/, "expected a name of letters, digits, - _ and ."),
        holder,
        expects("a map of vendors"),
      )
      .optional()
      .describe("Who connects on behalf of actors: a name and a bearer token each."),
    operators: z
      .record(omni, holder, expects("a map of operators"))
      .optional()
      .describe("Who owns actors and may revoke them: an omni and a bearer token each."),
    actors: z
      .record(omni, actor, expects("a map of actors"))
      .optional()
      .describe("Agents, by omni."),
    approvals: approvals.optional().describe("Questions to a person."),
  };
  return z.strictObject(
    sections,
    fields("a map of vendors, operators, actors and approvals", Object.keys(sections)),
  );
}

const inFile = "a reference: env:NAME or file:PATH (a secret itself does not belong in the file)";
const fileToken = z
  .string(expects(inFile))
  .regex(/^(?:env:[A-Za-z_]\w*|file:.+)$/, `expected ${inFile}`)
  .describe("env:NAME or file:PATH, relative to this file.");

const inCode = "env:NAME, file:PATH or value:TEXT";
const codeToken = z
  .string(expects(inCode))
  .regex(/^(?:env:[A-Za-z_]\w*|(?:file|value):.+)$/, `expected ${inCode}`);

/** The shape of a configuration file. */
export const configFileSchema = configSchema(fileToken);

/** A word is a string, so that an object built in parts fits; the schema still checks it. */
type Words<T> = T extends string ? string : T extends object ? { [K in keyof T]: Words<T[K]> } : T;

/** A configuration given as an object: the file's shape, and a token may also be `value:` and the token itself. */
export type AuthorityConfig = Words<z.input<typeof configFileSchema>>;

/** The schema of a file or an object whose output holds the secrets themselves. */
export function resolvingSchema(source: "file" | "object", places: SecretPlaces) {
  const token = source === "file" ? fileToken : codeToken;
  return configSchema(
    token.transform((reference, context) => {
      const found = resolveSecret(reference, places);
      if ("secret" in found) return found.secret;
      context.issues.push({ code: "custom", message: found.problem, input: undefined });
      return z.NEVER;
    }),
  );
}

/** JSON Schema of a configuration file, for editors: `agentkeys.schema.json`. */
export function configJsonSchema() {
  return z.toJSONSchema(configFileSchema, { io: "input" });
}
