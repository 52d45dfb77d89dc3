import { z } from "zod";

/** `v1` is upstream to the letter; `default` adds what the embedded authority brings beyond it. */
export type Surface = "v1" | "default";
/** `schema_only`: known, and answers `not_implemented_in_v1`; `absent`: no such tool on that surface. */
export type Status = "active" | "schema_only" | "absent";

/** Permission scopes that the operations themselves need; null = none. `by_op` = the scope of the capability asked for. */
export type OperationScope =
  | "memory.read"
  | "memory.write"
  | "cred.read"
  | "cred.write"
  | "by_op"
  | null;

export type JsonSchema = { readonly [key: string]: unknown };

export interface ToolRow<
  I extends z.ZodObject = z.ZodObject,
  A extends string = string,
  O extends z.ZodType = z.ZodType,
> {
  /** The wire name, verbatim upstream. */
  readonly id: `agentkeys.${string}`;
  readonly title: string;
  readonly description: string;
  /** Everything that the wire accepts. */
  readonly input: I;
  /** Dotted paths that are never asked of a model nor accepted from it; optional for a program. */
  readonly ambient: readonly A[];
  readonly output: O;
  readonly scope: OperationScope;
  readonly readOnly: boolean;
  readonly destructive: boolean;
  /** `program`: a client method only, never a model's tool; `named`: a model's tool only where somebody asks for it by name. */
  readonly audience: "model" | "named" | "program";
  readonly status: Readonly<Record<Surface, Status>>;
  /** What upstream advertises: the whole input, what a model is asked for, or (where neither) its literal schema. */
  readonly v1Schema: "input" | "model" | JsonSchema;
}

/** Declares one operation; the row's own types survive. */
export function defineTool<I extends z.ZodObject, const A extends string, O extends z.ZodType>(
  row: ToolRow<I, A, O>,
): ToolRow<I, A, O> {
  return Object.freeze(row);
}

type Flat<T> = { [K in keyof T]: T[K] };
type Head<A extends string> = A extends `${string}.${string}` ? never : A;
type Tail<A extends string, K extends string> = A extends `${K}.${infer Rest}` ? Rest : never;
type Optional<T, K extends PropertyKey> = Flat<Omit<T, K> & Partial<Pick<T, Extract<keyof T, K>>>>;
type Below<T, A extends string> = {
  [K in keyof T]: [Tail<A, K & string>] extends [never]
    ? T[K]
    : AmbientOptional<NonNullable<T[K]>, Tail<A, K & string>> | Extract<T[K], undefined>;
};
type AmbientOptional<T, A extends string> = Optional<Below<T, A>, Head<A>>;

/** What a program passes: the wire's input, its ambient fields optional. */
export type ToolInput<R> =
  R extends ToolRow<infer I, infer A> ? AmbientOptional<z.input<I>, A> : never;
export type ToolOutput<R> = R extends ToolRow<z.ZodObject, string, infer O> ? z.output<O> : never;

function withoutPaths(object: z.ZodObject, paths: readonly string[]): z.ZodObject {
  const shape: Record<string, z.ZodType> = {};
  for (const [key, field] of Object.entries(object.shape)) {
    if (paths.includes(key)) continue;
    const below = paths.flatMap((p) => (p.startsWith(`${key}.`) ? [p.slice(key.length + 1)] : []));
    shape[key] = below.length === 0 ? field : withoutPathsIn(field, below);
  }
  return z.object(shape);
}

function withoutPathsIn(field: z.ZodType, paths: readonly string[]): z.ZodType {
  const optional = field instanceof z.ZodOptional;
  const inner = optional ? field.unwrap() : field;
  if (!(inner instanceof z.ZodObject)) throw new TypeError("an ambient path leads through a value");
  const rest = withoutPaths(inner, paths);
  const named = field.description === undefined ? rest : rest.describe(field.description);
  return optional ? named.optional() : named;
}

const modelInputs = new WeakMap<ToolRow, z.ZodObject>();

/** The schema that a model sees: the row's input without its ambient fields. Unknown fields are stripped. */
export function modelInput(row: ToolRow): z.ZodObject {
  let schema = modelInputs.get(row);
  if (schema === undefined) {
    schema = withoutPaths(row.input, row.ambient);
    modelInputs.set(row, schema);
  }
  return schema;
}

/** Zod → JSON Schema in upstream's plain form: no `$schema`, no implied bounds, open objects. */
export function toJsonSchema(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...plain } = z.toJSONSchema(schema, {
    io: "input",
    override: ({ jsonSchema: json }) => {
      if (json.minimum === Number.MIN_SAFE_INTEGER) delete json.minimum;
      if (json.maximum === Number.MAX_SAFE_INTEGER) delete json.maximum;
      if (json.type === "number" && json.enum?.every((v) => Number.isInteger(v))) {
        json.type = "integer";
      }
      if (json.propertyNames !== undefined) {
        delete json.propertyNames;
        json.additionalProperties = true;
      }
    },
  });
  return plain;
}

/**
 * Where tools come from: the client, or any other table of rows with a way to call them.
 * `call` takes the row's key in `rows` and the model's input; it fills ambient fields itself and rejects with AgentKeysError.
 */
export interface ToolSource {
  readonly rows: Readonly<Record<string, ToolRow>>;
  call(name: string, input: unknown, options?: { signal?: AbortSignal }): Promise<unknown>;
}
