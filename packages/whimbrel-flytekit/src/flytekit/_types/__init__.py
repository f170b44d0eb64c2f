"""flytekit's words for types and values, and the transformers that speak them, on whimbrel's registry."""
