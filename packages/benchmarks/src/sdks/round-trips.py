"""What programs/macp-client.ts does, with the official Python SDK: round-trips.py TARGET SUBJECT CALLERS COUNT."""

import asyncio
import json
import sys
import time

from macp_sdk import AsyncDecisionSession, AsyncMacpClient, AuthConfig, DecisionSession, MacpClient
from macp_sdk.envelope import build_envelope, serialize_message
from macp.modes.decision.v1 import decision_pb2

target, subject, callers, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
auth = AuthConfig.for_dev_agent("alice")
settings = {"target": target, "allow_insecure": True, "auth": auth}
start = {"intent": "bench", "participants": ["alice", "bob"], "ttl_ms": 3_600_000}
opinion = {"confidence": 0.9, "reason": "fine"}
LONGEST = 200
durations: list[float] = []


def envelope(session):
    payload = decision_pb2.EvaluationPayload(proposal_id="p", recommendation="APPROVE", **opinion)
    return build_envelope(
        mode="macp.mode.decision.v1",
        message_type="Evaluation",
        session_id=session.session_id,
        sender="alice",
        payload=serialize_message(payload),
    )


def alone(client, calls):
    for first in range(0, calls, LONGEST):
        session = DecisionSession(client, auth=auth)
        session.start(**start)
        session.propose("p", "x")
        for _ in range(min(LONGEST, calls - first)):
            begun = time.perf_counter()
            if subject == "send":
                client.send(envelope(session))
            else:
                session.evaluate("p", "APPROVE", **opinion)
            durations.append(time.perf_counter() - begun)


async def together(client, calls):
    for first in range(0, calls, LONGEST):
        session = AsyncDecisionSession(client, auth=auth)
        await session.start(**start)
        await session.propose("p", "x")
        for _ in range(min(LONGEST, calls - first)):
            begun = time.perf_counter()
            if subject == "send":
                await client.send(envelope(session))
            else:
                await session.evaluate("p", "APPROVE", **opinion)
            durations.append(time.perf_counter() - begun)


async def many():
    client = AsyncMacpClient(**settings)
    await together(client, LONGEST)
    durations.clear()
    begun = time.perf_counter(), time.process_time()
    await asyncio.gather(*(together(client, count // callers) for _ in range(callers)))
    return time.perf_counter() - begun[0], time.process_time() - begun[1]


def one():
    client = MacpClient(**settings)
    alone(client, LONGEST)
    durations.clear()
    begun = time.perf_counter(), time.process_time()
    alone(client, count)
    return time.perf_counter() - begun[0], time.process_time() - begun[1]


seconds, cpu = one() if callers == 1 else asyncio.run(many())
ordered = sorted(durations)
print(
    json.dumps(
        {
            "perSecond": len(ordered) / seconds,
            "p50": ordered[len(ordered) // 2] * 1e6,
            "p99": ordered[len(ordered) * 99 // 100] * 1e6,
            "cpu": cpu * 1e6 / len(ordered),
        }
    )
)
