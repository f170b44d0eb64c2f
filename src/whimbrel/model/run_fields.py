"""What lists of executions are filtered and sorted by: fields of their runs, by Flyte's names.

Knows: names. Must not know: where runs are kept.
"""

from __future__ import annotations

TAG_KEY = "execution_tag.key"
TAG_VALUE = "execution_tag.value"
"""These two are of labels, tags among them: one label must pass all filters of both."""

RUN_FIELDS: dict[str, tuple[str, str]] = {
    "project": ("project", ""),
    "domain": ("domain", ""),
    "name": ("name", ""),
    "created_at": ("created_at", ""),
    "updated_at": ("created_at", ""),
    "started_at": ("started_at", ""),
    "phase": ("phase", ""),
    "workflow.name": ("entity", ""),
    "workflow.version": ("version", ""),
    "launch_plan.name": ("target", "launch_plan"),
    "launch_plan.version": ("version", "launch_plan"),
    "task.name": ("target", "task"),
    "task.version": ("version", "task"),
}
"""The attribute of a run (of its summary, or of the origin in it), and what must have been launched ("": anything)."""
