"""Tests of words and of how values are written."""
