"""The statements of the store as texts of one SQL dialect, by name.

Knows: nothing but the names. `statements.py` says what each is; `sqlite_texts.py` holds SQLite's, made beforehand:
importing SQLAlchemy to compile them would cost more than all else that opening a home does.
"""

from __future__ import annotations

from msgspec import Struct


class Texts(Struct, frozen=True):
    """Every statement that the store uses, with named parameters. ``schema`` makes the tables, in order."""

    schema: tuple[str, ...]

    add_run: str
    """Adds nothing when the id is taken."""
    add_label: str
    runs: str
    """Without conditions, order or page: ``run_lists.py`` adds those."""
    run_exists: str
    claim_run: str
    advance_run: str
    """The fence: changes one row, or none when epoch or seq are not the caller's."""
    advance_run_and_summary: str
    summary: str
    fence: str
    add_event: str
    events: str
    newest: str
    newest_before: str
    newest_of_phase: str
    newest_of_phase_before: str
    phase_counts: str
    parked: str

    cached: str
    candidates: str
    drop_older: str
    """Removes the row under a key unless it is newer."""
    clear_cache: str
    add_cached: str
    """Adds nothing when the key is taken."""
    extend_reservation: str
    """Changes one row, or none when somebody else holds a live one."""
    add_reservation: str
    """Adds nothing when the key is taken."""
    end_reservation: str
    release: str

    add_log: str
    logs: str
    logs_below: str

    drop_deck: str
    add_deck: str
    decks: str
    decks_below: str
    decked: str
    drop_progress: str
    add_progress: str
    progress: str

    send: str
    """Adds nothing when there is no such run."""
    addressed: str
    requests: str
    drop_request: str

    add_entity: str
    """Adds nothing when the id is taken."""
    entity: str
    entities: str
    """Without conditions, order or page: ``queries.py`` adds those."""
    entity_names: str
    drop_entity: str
    set_entity_state: str
    retire_entities: str
    """Takes a state from every other version of a name."""

    add_access: str
    """Adds nothing when the id is taken."""
    access: str
    accesses: str
    accesses_of: str
    set_access: str
    swap_access: str
    """Changes one row, or none when its body is another."""
    drop_access: str
    expire_access: str
    add_audit: str
    audited: str

    mark: str
    add_mark: str
    """Adds nothing when the plan has one."""
    move_mark: str
    """Changes one row, or none when the mark is another one by now."""
    drop_firing: str
    """Leaves one that is final."""
    add_firing: str
    """Adds nothing when there is one."""
    firings: str

    gaps: str
    """Runs whose events are not 1, 2, …, ``next_seq`` - 1."""
