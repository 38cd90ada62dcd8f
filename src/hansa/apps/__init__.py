"""Civic applications, one folder each, all with the same rooms; they never import each other."""
