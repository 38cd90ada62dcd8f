"""The disposable read model: follows committed blocks into SQL; may be dropped and rebuilt at any time."""
