"""The one error of documents from outside: a stable code and words for people. Pure."""


class Malformed(ValueError):
    """A document that is refused before anybody judges it; `code` is stable, the text is not."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
