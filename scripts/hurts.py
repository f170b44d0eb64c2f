"""What hurts in flytekit 1.16, and our test for each."""

from __future__ import annotations

from typing import NamedTuple


class Hurt(NamedTuple):
    """``what`` goes wrong there, the ``issue`` that says so (or how we know), our ``test``: a file and a function."""

    what: str
    issue: str
    test: str


MEASURED = "measured in 1.16.31"
GRAPH = "tests/integration/hurts/test_graph_hurts.py::"
HERE = "tests/integration/hurts/test_hurts.py::"

HURTS: tuple[Hurt, ...] = (
    # functions
    Hurt(
        "Functions without readable source (exec, a prompt) fail with OSError",
        MEASURED,
        HERE + "test_functions_without_source",
    ),
    Hurt(
        "A task whose only statement is `raise` is rejected, and its whole file with it",
        MEASURED,
        HERE + "test_a_task_that_only_raises",
    ),
    Hurt("Eager workflows cannot be tried in a notebook", "flyte#5907", HERE + "test_a_function_of_a_notebook"),
    Hurt("Tuples come back as dicts in an eager workflow", "flyte#4841", HERE + "test_tuples_come_back_as_tuples"),
    # decorated workflows
    Hurt(
        "Stacking two set-up/tear-down decorators is a RecursionError",
        MEASURED,
        HERE + "test_decorated_workflows_stacked_twice",
    ),
    Hurt(
        "Only one of several parallel first or last nodes is ordered against set-up and teardown",
        MEASURED,
        HERE + "test_setup_and_teardown_with_parallel_ends",
    ),
    Hurt("The teardown does not run when the body fails", MEASURED, HERE + "test_teardown_runs_when_the_body_fails"),
    Hurt("An empty body breaks the indices of the recipe", MEASURED, HERE + "test_a_bracket_around_nothing"),
    # eager
    Hurt("An eager workflow cannot be called by a workflow", "flyte#6051", HERE + "test_eager_inside_a_workflow"),
    Hurt(
        "One child that cannot be launched leaves every other await hanging",
        MEASURED,
        HERE + "test_one_failing_child_holds_nobody_up",
    ),
    Hurt("Errors lose their class and their message", MEASURED, HERE + "test_errors_keep_their_class_and_their_words"),
    Hurt("A call cannot be timed out, and a cancelled one goes on", MEASURED, HERE + "test_a_call_can_be_timed_out"),
    Hurt("An eager workflow must say its output", "flyte#4436", HERE + "test_no_annotation_of_the_output"),
    Hurt(
        "Names of calls are hashed from `str(kwargs)`, which differs between processes for objects",
        "flyte#6069",
        HERE + "test_names_of_calls_with_objects_are_the_same_in_every_process",
    ),
    Hurt("Sixty launches a minute, two seconds a poll", MEASURED, HERE + "test_a_hundred_calls_take_no_hundred_polls"),
    Hurt(
        "try and except are impossible in a workflow",
        "flyte#4573",
        HERE + "test_an_error_inside_a_workflow_is_caught_in_an_eager_step",
    ),
    Hurt(
        "Calls that block are lost with the process: nothing of them is durable",
        "by its design",
        "tests/unit/authoring/test_mixed_eager.py::test_blocking_and_awaited_calls_are_one_to_the_engine",
    ),
    # the language of graphs
    Hurt(
        "A map of a task with several or named outputs", "flyte#3784", GRAPH + "test_a_map_of_a_task_with_named_outputs"
    ),
    Hurt(
        "A map of a launch plan is a type error",
        "flyte#6236",
        GRAPH + "test_maps_of_launch_plans_workflows_eager_and_dynamic_ones",
    ),
    Hurt(
        "No map of workflows, eager or dynamic ones",
        "flyte#5684",
        GRAPH + "test_maps_of_launch_plans_workflows_eager_and_dynamic_ones",
    ),
    Hurt(
        "A partial that binds a list cannot be mapped",
        "flyte#3887, flytekit#2916",
        GRAPH + "test_a_partial_that_binds_a_list",
    ),
    Hurt(
        "The inner branch of a nested conditional runs though the outer one is false",
        "flyte#6185",
        GRAPH + "test_a_nested_conditional_runs_one_arm",
    ),
    Hurt("`is_true()` takes the wrong branch", "flyte#6340", GRAPH + "test_is_true_takes_the_right_branch"),
    Hurt("The text of `.fail(...)` is lost", "flyte#4483", GRAPH + "test_the_text_of_fail_is_kept"),
    Hurt(
        "A dynamic workflow cannot be told a workflow's options",
        "flyte#5465",
        GRAPH + "test_a_dynamic_workflow_takes_options_of_workflows",
    ),
    Hurt(
        "No references inside a dynamic workflow",
        "its documentation",
        GRAPH + "test_references_inside_a_dynamic_workflow",
    ),
    Hurt("Eager and dynamic do not mix", "its documentation", GRAPH + "test_eager_and_dynamic_mix"),
    # decks
    Hurt(
        "Falsy results (0, False, an empty list) show as None in the deck",
        MEASURED,
        "tests/unit/authoring/test_decks.py::test_what_is_falsy_is_shown_as_it_is",
    ),
    Hurt(
        "Values are put into a deck's HTML as they are: injection",
        MEASURED,
        "tests/e2e/cli/test_shows.py::test_nothing_of_a_run_is_markup_of_the_page",
    ),
    Hurt(
        "Aborting an eager parent wipes its deck, and with it the way to its children",
        "flyte#7610",
        "tests/e2e/cli/test_shows.py::test_decks_are_there_while_a_run_goes_on_and_after_its_abort",
    ),
)
