import { decodePayload, encodePayload } from "./payload.ts";

encodePayload("decision", "Vote", { proposalId: "p1", vote: "APPROVE" });
encodePayload("quorum", "ApprovalRequest", { requiredApprovals: 2 });
encodePayload("task", "TaskRequest", { deadlineUnixMs: 1n });

// @ts-expect-error: quorum has no votes, it has ballots
encodePayload("quorum", "Vote", {});
// @ts-expect-error: a vote has no such field
encodePayload("decision", "Vote", { proposal_id: "p1" });
// @ts-expect-error: 64-bit numbers are bigints on the wire
encodePayload("task", "TaskRequest", { deadlineUnixMs: 1 });

const vote = decodePayload("decision", "Vote", new Uint8Array());
vote.vote satisfies string;
const commitment = decodePayload("handoff", "Commitment", new Uint8Array());
commitment.outcomePositive satisfies boolean;
// @ts-expect-error: the same word is another message in another mode
decodePayload("proposal", "Proposal", new Uint8Array()).option satisfies string;
