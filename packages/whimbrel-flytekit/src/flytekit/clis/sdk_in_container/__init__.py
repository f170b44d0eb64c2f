"""The command lines under flytekit's names."""
