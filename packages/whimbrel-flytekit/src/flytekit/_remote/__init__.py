"""``FlyteRemote`` over whimbrel's client: flytekit's words for what a server holds and what runs there."""
