"""What holds for every tier: property tests that draw the same examples each time."""

from hypothesis import settings

# Derandomised, and no example database: a red run on one machine is red on all of them. No deadline: two cores under
# load are slow, not wrong. `--hypothesis-profile=explore` looks for new examples.
settings.register_profile("house", derandomize=True, database=None, deadline=None)
settings.register_profile("explore", max_examples=2_000, database=None, deadline=None)
settings.load_profile("house")
