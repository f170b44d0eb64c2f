"""A report that goes out only after a person has read it.

    whimbrel run examples/data/approval.py publish --quarter 2024Q2

The run waits at the gate without a process. Somebody else, later, from any shell:

    whimbrel approve latest sign-off      # or: whimbrel reject latest sign-off
    whimbrel signal latest recipients '["board@example.org"]'
"""

from __future__ import annotations

import datetime as dt

from whimbrel import approve, task, wait_for_input, workflow


@task
def draft(quarter: str) -> str:
    """What is to be signed."""
    return f"Results of {quarter}: revenue up 4 %."


@task
def send(report: str, recipients: list[str]) -> str:
    """Runs when the report is approved and the recipients are known."""
    print(f"to {', '.join(recipients)}: {report}")
    return f"sent to {len(recipients)}"


@workflow
def publish(quarter: str) -> str:
    """Draft, wait for a signature and for recipients, send."""
    signed = approve(draft(quarter=quarter), "sign-off", timeout=dt.timedelta(days=7))
    recipients = wait_for_input("recipients", timeout=dt.timedelta(days=7), expected_type=list[str])
    return send(report=signed, recipients=recipients)
