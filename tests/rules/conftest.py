"""Hypothesis without a deadline: how long an example takes says nothing about a rule."""

from hypothesis import settings

settings.register_profile("rules", deadline=None)
settings.load_profile("rules")
