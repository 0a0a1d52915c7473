"""Draws number plates for training: every kind, flat first, then as a camera might see it."""
