"""The command line: one module per noun, started by `main.py`. Imports stay lazy so that help is instant."""
