"""The verdict of an audit in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cllm_sim.auditor.findings import Finding, Severity
from cllm_sim.auditor.requirements import Judgement


def verdict_line(inventory: dict[str, Any], findings: Sequence[Finding], judgements: Sequence[Judgement]) -> str:
    """Who works, who controls, what the barriers do, and how many findings and requirements."""
    parts = [_workers(inventory), _control(inventory), _barriers(inventory), _counted(findings)]
    met = sum(one.status == "met" for one in judgements)
    parts.append(f"{met} of {len(judgements)} requirements of the plan met")
    sentence = "; ".join(part for part in parts if part)
    return sentence[:1].upper() + sentence[1:] + "."


def _workers(inventory: dict[str, Any]) -> str:
    workers = [role for role in inventory["roles"] if role["kind"] == "worker"]
    if not workers:
        threads = [role for role in inventory["roles"] if role["kind"] != "caller"]
        return (
            "no threads are created" if not threads else f"{len(threads)} thread roles, none of them works on batches"
        )
    names = ", ".join(f"{role['count'] or 'several'} × {role['name']}" for role in workers[:3])
    return f"workers: {names}"


def _control(inventory: dict[str, Any]) -> str:
    threads = [role for role in inventory["roles"] if role["kind"] != "caller"]
    if not threads:
        return ""
    controls = [role for role in threads if role["kind"] == "control"]
    parked = [role["name"] for role in threads if role["only_parked"]]
    if controls:
        return f"control thread: {controls[0]['name']}" + (
            ", which is only parked" if controls[0]["only_parked"] else ""
        )
    return "no control thread" + (f" ({parked[0]} is only parked)" if parked else "")


def _barriers(inventory: dict[str, Any]) -> str:
    barriers = inventory["barriers"]
    if not barriers:
        return "no barriers"
    idle = [one["name"] for one in barriers if not any(use["operation"] == "wait" for use in one["waits"])]
    if not idle:
        return f"{len(barriers)} {'barrier' if len(barriers) == 1 else 'barriers'}, all waited on"
    if len(idle) == len(barriers):
        return f"{len(barriers)} {'barrier' if len(barriers) == 1 else 'barriers'}, never waited on"
    return f"{len(barriers)} barriers, {len(idle)} of them never waited on"


def _counted(findings: Sequence[Finding]) -> str:
    if not findings:
        return "no findings"
    counts = [(severity, sum(one.severity is severity for one in findings)) for severity in Severity]
    return ", ".join(f"{number} {severity}{'s' if number > 1 else ''}" for severity, number in counts if number)
