"""Pacing: how fast mail may go, by which routes, at what hours, and when it is done (DESIGN §8, docs/pacing.md)."""
