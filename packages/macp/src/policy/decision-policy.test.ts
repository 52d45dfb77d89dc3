import { describe, expect, test } from "vitest";
import { decisionDenials } from "./decision-policy.ts";
import { bindRules } from "./policy.ts";
import { decisionRules } from "./rules.ts";

interface Case {
  rules: object;
  schemaVersion?: number;
  participants?: string[];
  /** `alice:APPROVE`, for one proposal. */
  votes?: string[];
  evaluations?: [recommendation: string, confidence: number][];
  criticalBy?: string[];
}

/** What each outcome is answered, as `yes` or `no`: positive, then negative. */
function verdict(given: Case): string {
  const { rules, schemaVersion = 2, participants = ["alice", "bob", "carol"] } = given;
  const ballots = (given.votes ?? []).map((vote) => vote.split(":") as [string, string]);
  const policy = {
    policy_id: "p",
    mode: "*",
    description: "",
    rules: { ...rules },
    schema_version: schemaVersion,
  };
  const bound = bindRules(policy, decisionRules);
  const facts = {
    participants,
    evaluations: (given.evaluations ?? []).map(([recommendation, confidence]) => ({
      recommendation,
      confidence,
    })),
    objections: [
      { severity: "high", sender: "zoe" },
      ...(given.criticalBy ?? []).map((sender) => ({ severity: "critical", sender })),
    ],
    votes: new Map([["p1", new Map(ballots.map(([voter, vote]) => [voter, { vote }]))]]),
  };
  return [true, false]
    .map((positive) => (decisionDenials(bound, facts, positive).length === 0 ? "yes" : "no"))
    .join(" ");
}

const voting = (algorithm: string, more: object = {}) => ({ voting: { algorithm, ...more } });

describe("algorithms", () => {
  test("none: the outcome is the committer's", () => {
    expect(verdict({ rules: {} })).toBe("yes yes");
    expect(verdict({ rules: voting("none"), votes: ["alice:REJECT", "bob:REJECT"] })).toBe(
      "yes yes",
    );
  });

  test.each([
    ["majority", ["alice:APPROVE", "bob:APPROVE", "carol:REJECT"], "yes no"],
    ["majority", ["alice:APPROVE", "bob:REJECT"], "yes no"],
    ["majority", ["alice:APPROVE", "bob:REJECT", "carol:REJECT"], "no yes"],
    ["majority", ["alice:APPROVE", "bob:ABSTAIN", "carol:ABSTAIN"], "yes no"],
    ["plurality", ["alice:APPROVE", "bob:REJECT"], "no yes"],
    ["plurality", ["alice:APPROVE", "bob:ABSTAIN"], "yes no"],
    ["plurality", ["alice:REJECT"], "no yes"],
    ["unanimous", ["alice:APPROVE", "bob:APPROVE", "carol:APPROVE"], "yes no"],
    ["unanimous", ["alice:APPROVE", "bob:APPROVE"], "no no"],
    ["unanimous", ["alice:APPROVE", "bob:APPROVE", "carol:ABSTAIN"], "no no"],
    ["unanimous", ["alice:APPROVE", "bob:APPROVE", "carol:REJECT"], "no yes"],
  ])("%s of %o", (algorithm, votes, expected) => {
    expect(verdict({ rules: voting(algorithm), votes })).toBe(expected);
  });

  test("a threshold is inclusive, in binary64", () => {
    const votes = ["alice:APPROVE", "bob:APPROVE", "carol:REJECT"];
    expect(verdict({ rules: voting("majority", { threshold: 2 / 3 }), votes })).toBe("yes no");
    expect(verdict({ rules: voting("majority", { threshold: 0.667 }), votes })).toBe("no yes");
  });

  test("a supermajority without a threshold above half is two thirds", () => {
    const two = ["alice:APPROVE", "bob:APPROVE", "carol:REJECT"];
    const one = ["alice:APPROVE", "bob:REJECT"];
    expect(verdict({ rules: voting("supermajority"), votes: two })).toBe("yes no");
    expect(verdict({ rules: voting("supermajority"), votes: one })).toBe("no yes");
    expect(verdict({ rules: voting("supermajority", { threshold: 0.7 }), votes: two })).toBe(
      "no yes",
    );
  });

  test("votes on all proposals count together", () => {
    const policy = {
      policy_id: "p",
      mode: "*",
      description: "",
      rules: voting("majority"),
      schema_version: 2,
    };
    const votes = new Map([
      ["p1", new Map([["alice", { vote: "APPROVE" }]])],
      [
        "p2",
        new Map([
          ["bob", { vote: "REJECT" }],
          ["alice", { vote: "REJECT" }],
        ]),
      ],
    ]);
    const facts = { participants: ["alice", "bob"], evaluations: [], objections: [], votes };
    const denials = decisionDenials(bindRules(policy, decisionRules), facts, true);
    expect(denials).toEqual(["majority vote failed: 33.3% approve, need >= 50.0%"]);
  });

  test("an algorithm that does not exist fails as soon as there is a vote", () => {
    expect(verdict({ rules: voting("lottery") })).toBe("yes no");
    expect(verdict({ rules: voting("lottery"), votes: ["alice:APPROVE"] })).toBe("no no");
    expect(verdict({ rules: voting("toString"), votes: ["alice:APPROVE"] })).toBe("no no");
  });
});

describe("weights", () => {
  const weighted = (weights: object) => voting("weighted", { weights });

  test("the weights of the votes count, not the votes", () => {
    const votes = ["alice:APPROVE", "bob:REJECT", "carol:REJECT"];
    expect(verdict({ rules: weighted({ alice: 5, bob: 1, carol: 1 }), votes })).toBe("yes no");
    expect(verdict({ rules: weighted({ alice: 1, bob: 1, carol: 1 }), votes })).toBe("no yes");
  });

  test("who is not listed weighs 1 under version 2 and nothing under 3", () => {
    const votes = ["alice:APPROVE", "bob:REJECT", "carol:REJECT"];
    const rules = weighted({ alice: 1 });
    expect(verdict({ rules, votes })).toBe("no yes");
    expect(verdict({ rules, votes, schemaVersion: 3 })).toBe("yes no");
  });

  test("under version 3 a rejection without weight backs no decline", () => {
    const rules = { ...weighted({ alice: 1 }), commitment: { allow_decline_over_approval: true } };
    expect(verdict({ rules, votes: ["alice:APPROVE", "bob:REJECT"], schemaVersion: 3 })).toBe(
      "yes no",
    );
    expect(verdict({ rules, votes: ["bob:REJECT"], schemaVersion: 3 })).toBe("no no");
  });
});

describe("no votes", () => {
  test.each(["majority", "supermajority", "unanimous", "weighted", "plurality"])(
    "%s",
    (algorithm) => {
      const rules = voting(algorithm, { weights: { alice: 1 } });
      for (const votes of [[], ["alice:ABSTAIN", "bob:ABSTAIN"]]) {
        expect(verdict({ rules, votes, schemaVersion: 1 })).toBe("yes no");
        expect(verdict({ rules, votes, schemaVersion: 2 })).toBe("yes no");
        expect(verdict({ rules, votes, schemaVersion: 3 })).toBe("no no");
        const gated = { ...rules, commitment: { require_vote_quorum: true } };
        expect(verdict({ rules: gated, votes, schemaVersion: 2 })).toBe("no no");
      }
    },
  );
});

describe("a decline over an approval", () => {
  const rules = { ...voting("majority"), commitment: { allow_decline_over_approval: true } };
  test("is allowed where the policy says so", () => {
    expect(verdict({ rules, votes: ["alice:APPROVE", "bob:APPROVE", "carol:REJECT"] })).toBe(
      "yes yes",
    );
    expect(verdict({ rules, votes: ["alice:APPROVE"] })).toBe("yes yes");
  });
  test("needs a rejection behind it under version 3", () => {
    expect(verdict({ rules, votes: ["alice:APPROVE"], schemaVersion: 3 })).toBe("yes no");
    expect(verdict({ rules, votes: ["alice:APPROVE", "bob:REJECT"], schemaVersion: 3 })).toBe(
      "yes yes",
    );
  });
});

describe("quorum of voters", () => {
  const rules = (quorum: object, require_vote_quorum = true) => ({
    ...voting("majority", { quorum }),
    commitment: { require_vote_quorum },
  });
  const two = ["alice:APPROVE", "bob:REJECT"];

  test("gates both outcomes, and only where it is required", () => {
    expect(verdict({ rules: rules({ type: "count", value: 3 }), votes: two })).toBe("no no");
    expect(verdict({ rules: rules({ type: "count", value: 3 }, false), votes: two })).toBe(
      "yes no",
    );
    expect(verdict({ rules: rules({ type: "count", value: 2 }), votes: two })).toBe("yes no");
  });
  test("a percentage is 0 to 100 of the participants", () => {
    expect(verdict({ rules: rules({ type: "percentage", value: 66 }), votes: two })).toBe("yes no");
    expect(verdict({ rules: rules({ type: "percentage", value: 67 }), votes: two })).toBe("no no");
  });
  test("an abstention is a voter", () => {
    const votes = [...two, "carol:ABSTAIN"];
    expect(verdict({ rules: rules({ type: "count", value: 3 }), votes })).toBe("yes no");
  });
});

describe("evaluations", () => {
  const rules = (evaluation: object) => ({ evaluation });
  test("a minimum alone gates nothing", () => {
    expect(verdict({ rules: rules({ minimum_confidence: 0.9 }) })).toBe("yes yes");
  });
  test("required: one that is no REVIEW, for either outcome", () => {
    const required = rules({ required_before_voting: true });
    expect(verdict({ rules: required })).toBe("no no");
    expect(verdict({ rules: required, evaluations: [["REVIEW", 1]] })).toBe("no no");
    expect(verdict({ rules: required, evaluations: [["BLOCK", 0]] })).toBe("yes yes");
  });
  test("required with a minimum: one that is confident enough", () => {
    const required = rules({ required_before_voting: true, minimum_confidence: 0.8 });
    expect(
      verdict({
        rules: required,
        evaluations: [
          ["APPROVE", 0.79],
          ["REVIEW", 1],
        ],
      }),
    ).toBe("no no");
    expect(verdict({ rules: required, evaluations: [["APPROVE", 0.8]] })).toBe("yes yes");
  });
});

describe("critical objections", () => {
  const rules = (objection_handling: object, more: object = {}) => ({
    objection_handling,
    ...more,
  });
  test("count for nothing unless they veto", () => {
    expect(verdict({ rules: {}, criticalBy: ["bob"] })).toBe("yes yes");
  });
  test.each([
    ["deny", "no no"],
    ["hold", "no no"],
    ["finalize_decline", "no yes"],
  ])("%s", (action, expected) => {
    const handling = { critical_severity_vetoes: true, critical_objection_action: action };
    expect(verdict({ rules: rules(handling), criticalBy: ["bob"] })).toBe(expected);
    expect(verdict({ rules: rules(handling) })).toBe("yes yes");
  });
  test("below the threshold they do not veto", () => {
    const handling = rules({ critical_severity_vetoes: true, veto_threshold: 2 });
    expect(verdict({ rules: handling, criticalBy: ["bob"] })).toBe("yes yes");
    expect(verdict({ rules: handling, criticalBy: ["bob", "bob"] })).toBe("no no");
  });
  test("finalize_decline waives votes and quorum for a decline under version 3 only", () => {
    const handling = {
      critical_severity_vetoes: true,
      critical_objection_action: "finalize_decline",
    };
    const more = {
      ...voting("majority", { quorum: { type: "count", value: 3 } }),
      commitment: { require_vote_quorum: true },
    };
    const given = { rules: rules(handling, more), criticalBy: ["bob"] };
    expect(verdict(given)).toBe("no no");
    expect(verdict({ ...given, schemaVersion: 3 })).toBe("no yes");
  });
});

test("a schema version that nobody knows denies everything", () => {
  expect(verdict({ rules: {}, schemaVersion: 4 })).toBe("no no");
});

test("rules that cannot be read deny everything", () => {
  expect(verdict({ rules: { voting: { threshold: "half" } } })).toBe("no no");
});
