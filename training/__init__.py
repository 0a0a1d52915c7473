"""Trains the plate recogniser that gatekeeper ships; gatekeeper itself imports nothing of it."""
