"""Tests of the canonical encoding and the strict text forms."""
