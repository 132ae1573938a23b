"""Drafts on their way to be versions: where staff write, compare and review them."""
