"""The one error of OpenID messages: the code that the standard gives it, and words. Pure."""


class OpenIdError(ValueError):
    """A message that is refused. `error`: as RFC 6749, OpenID4VCI 1.0 or OpenID4VP 1.0 name it;
    `text`: for people, nothing of what was sent; `status`: of the HTTP answer.
    """

    def __init__(self, error: str, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.error = error
        self.text = text
        self.status = status
