"""`make bench`: how fast the service sends beside what is bare of everything a service does (docs/performance.md)."""
