"""flytekit's data classes, by the modules they are imported from."""
