"""When schedules are due, and what of it is launched: decisions without a clock."""

from __future__ import annotations

import datetime as dt
import math
import re
from itertools import islice, takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whimbrel.controlplane.schedules import MISSED, Decision, Timetable, decide, execution_name, kickoff_time
from whimbrel.errors import InputInvalid
from whimbrel.model.launch_plan import CronSchedule, FixedRate, Schedule
from whimbrel.model.scheduled import PlanName

PLAN = PlanName("p", "d", "flows.Nightly report")
BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp()


def moment(text: str) -> float:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()


def first(schedule: str, after: str, count: int = 1) -> list[str]:
    found = islice(Timetable(CronSchedule(schedule)).since(moment(after)), count)
    return [dt.datetime.fromtimestamp(each, dt.UTC).strftime("%Y-%m-%d %H:%M") for each in found]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("*/15 * * * *", "2026-01-01 10:15"),
        ("5/15 * * * *", "2026-01-01 10:05"),
        ("0 3 * * mon-fri", "2026-01-02 03:00"),
        ("0 0 ? * SUN", "2026-01-04 00:00"),
        ("0 0 13 * fri", "2026-01-02 00:00"),
        ("0 0 29 feb *", "2028-02-29 00:00"),
        ("hours", "2026-01-01 11:00"),
        ("cron(0 9 ? * 2 *)", "2026-01-05 09:00"),
        ("0 9 * * 7,2/3 *", "2026-01-03 09:00"),
        ("0 9 ? * FRI#2 *", "2026-01-09 09:00"),
        ("@daily", "2026-01-02 00:00"),
        ("@midnight", "2026-01-02 00:00"),
        ("weekly", "2026-01-04 00:00"),
        ("Monthly", "2026-02-01 00:00"),
        ("@annually", "2027-01-01 00:00"),
        ("CRON_TZ=Europe/Oslo 0 3 * * *", "2026-01-02 02:00"),
        ("CRON_TZ=America/New_York @daily", "2026-01-02 05:00"),
    ],
)
def test_cron(schedule: str, expected: str) -> None:
    assert first(schedule, "2026-01-01 10:00") == [expected]


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        # The clock skips 02:30, and shows it twice.
        ("30 2 * * *", "2026-03-28 12:00", ["2026-03-29 01:00", "2026-03-30 00:30"]),
        ("30 2 * * *", "2026-10-24 12:00", ["2026-10-25 00:30", "2026-10-26 01:30"]),
    ],
)
def test_a_change_of_the_clock_neither_loses_nor_doubles_a_day(schedule: str, after: str, expected: list[str]) -> None:
    assert first(f"CRON_TZ=Europe/Oslo {schedule}", after, 2) == expected


@pytest.mark.parametrize(
    "schedule",
    [
        "* * * *",
        "61 * * * *",
        "0 0 30 2 *",
        "cron(0 10 * * ? 2027)",
        "cron(0 10 * * 0 *)",
        "0 10 * * *  * *",
        "fortnightly",
        "",
        "CRON_TZ=Nowhere/At_all 0 3 * * *",
        "CRON_TZ=../../etc/passwd 0 3 * * *",
        "TZ= 0 3 * * *",
        "0 0 * * * ; rm",
        "\x00 * * * *",
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(schedule: str) -> None:
    with pytest.raises(InputInvalid, match=r"write|use"):
        Timetable(CronSchedule(schedule))


@pytest.mark.parametrize("seconds", [0.0, -60.0, 0.5, math.inf, math.nan])
def test_rates_that_are_none_are_refused(seconds: float) -> None:
    with pytest.raises(InputInvalid):
        Timetable(FixedRate(seconds))


def test_a_schedule_that_is_never_due_is_never_due() -> None:
    # The first or the 21st, if it is the last Monday of its month.
    never = Timetable(CronSchedule("0 0 */20 * 1L"))
    assert never.after(BEGIN) is None
    assert never.newest(0.0, BEGIN, 5) == []
    assert decide(never, activated_at=0.0, decided_at=0.0, now=BEGIN, catch_up=3) == Decision((), BEGIN, None)


def test_where_the_calendar_ends_nothing_is_due() -> None:
    table = Timetable(CronSchedule("* * * * *"))
    for now in (1e15, 1e300):
        decision = decide(table, activated_at=0.0, decided_at=now, now=now * 2, catch_up=3)
        assert decision == Decision((), now * 2, None)


def test_a_rate_counts_from_the_activation() -> None:
    rate = Timetable(FixedRate(90.0), 1000.7)
    assert list(islice(rate.since(1000.7), 3)) == [1090.0, 1180.0, 1270.0]
    assert rate.after(1090.0) == 1180.0
    assert rate.newest(1000.7, 1270.0, 2) == [1180.0, 1270.0]


schedules = st.one_of(
    st.sampled_from(
        [
            CronSchedule("* * * * *"),
            CronSchedule("*/7 3-9 * * *"),
            CronSchedule("0 0 1,15 * fri"),
            CronSchedule("CRON_TZ=Europe/Oslo */20 1-3 * * *"),
            CronSchedule("CRON_TZ=Europe/Oslo 30 2 * * *"),
            CronSchedule("CRON_TZ=America/New_York 0 * * * *"),
            CronSchedule("CRON_TZ=Australia/Lord_Howe */30 * * * *"),
            CronSchedule("CRON_TZ=Asia/Kathmandu 15 1,2 * * sun"),
        ]
    ),
    st.builds(FixedRate, st.sampled_from([1.0, 2.5, 60.0, 61.0, 3600.0, 86_400.0])),
)
# Around the two days of 2026 on which clocks change, among others.
moments = st.one_of(
    st.floats(BEGIN, BEGIN + 366 * 86_400),
    st.sampled_from(["2026-03-29 01:00", "2026-10-25 01:00", "2026-04-04 15:00", "2026-11-01 06:00"]).flatmap(
        lambda text: st.floats(moment(text) - 7200, moment(text) + 7200)
    ),
)
spans = st.sampled_from([0.0, 1.0, 59.0, 61.0, 7200.0, 86_400.0])


@given(schedules, moments, spans, st.integers(0, 40))
def test_the_newest_are_the_last_of_all(schedule: Schedule, after: float, span: float, count: int) -> None:
    table = Timetable(schedule, BEGIN)
    until = after + span
    whole = list(takewhile(lambda due: due <= until, islice(table.since(after), 100_000)))
    assert whole == sorted(set(whole))
    assert table.newest(after, until, count) == (whole[-count:] if count else [])


@given(schedules, moments, st.lists(st.tuples(spans, st.booleans()), max_size=12))
def test_each_due_time_is_decided_once_however_the_clock_goes(
    schedule: Schedule, begin: float, steps: list[tuple[float, bool]]
) -> None:
    """Also when it is set back; and none is left out, as nothing is missed by more than there is room for."""
    table = Timetable(schedule, begin)
    now = decided = furthest = begin
    fired: list[float] = []
    for span, back in steps:
        now = now - span if back else now + span
        furthest = max(furthest, now)
        decision = decide(table, activated_at=begin, decided_at=decided, now=now, catch_up=1_000_000)
        assert decision.decided_at >= decided
        assert decision.skipped_from is None
        assert decision.next is None or decision.next > decision.decided_at
        decided = decision.decided_at
        fired += decision.due
    expected = takewhile(lambda due: due <= furthest, islice(table.since(begin), 1_000_000))
    assert fired == list(expected)


@given(schedules, moments, spans, st.integers(0, 5))
def test_of_what_was_missed_the_newest_are_launched(
    schedule: Schedule, begin: float, away: float, catch_up: int
) -> None:
    table, now = Timetable(schedule, begin), begin + away
    decision = decide(table, activated_at=begin, decided_at=begin, now=now, catch_up=catch_up)
    whole = list(takewhile(lambda due: due <= now, islice(table.since(begin), 200_000)))
    missed = [due for due in whole if due <= max(now - MISSED, begin)]
    late = whole[len(missed) :]
    kept = missed[-catch_up:] if catch_up else []
    assert decision.due == (*kept, *late)
    assert decision.skipped_from == (missed[0] if len(kept) < len(missed) else None)


def test_nothing_is_due_before_the_activation() -> None:
    table = Timetable(CronSchedule("* * * * *"))
    decision = decide(table, activated_at=600.0, decided_at=0.0, now=610.0, catch_up=5)
    assert decision == Decision((), 610.0, 660.0)


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        ("", "2026-03-31T03:00:00+00:00"),
        ("PT1H", "2026-03-31T02:00:00+00:00"),
        ("P1M", "2026-02-28T03:00:00+00:00"),
        ("P1Y2M", "2025-01-31T03:00:00+00:00"),
        ("P1W2DT3M4S", "2026-03-22T02:56:56+00:00"),
    ],
)
def test_kickoff_times(offset: str, expected: str) -> None:
    assert kickoff_time(CronSchedule("0 3 * * *", offset), moment("2026-03-31 03:00")).isoformat() == expected


@pytest.mark.parametrize("offset", ["1h", "P9999Y", "P99999999999999D"])
def test_offsets_that_lead_nowhere(offset: str) -> None:
    with pytest.raises(InputInvalid):
        kickoff_time(CronSchedule("0 3 * * *", offset), moment("2026-03-31 03:00"))


@given(st.text(max_size=80), st.floats(0, 4e9))
def test_names_of_executions_are_names(name: str, due: float) -> None:
    made = execution_name(PlanName("p", "d", name), due)
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", made)
    assert len(made) <= 63


def test_names_follow_from_the_plan_and_the_due_time() -> None:
    name = execution_name(PLAN, BEGIN)
    assert name.startswith("nightly-report-20260101t000000-")
    assert name == execution_name(PlanName("p", "d", "flows.Nightly report"), BEGIN)
    others = {execution_name(PLAN, BEGIN + 1e-3), execution_name(PlanName("q", "d", PLAN.name), BEGIN)}
    assert len({name, *others}) == 3
