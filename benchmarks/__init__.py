"""Figures of the whole and of its parts: `python -m benchmarks.NAME [--json] [--short]`."""
