"""Tests of tracing over the read model."""
