"""The one exception by which a service says no, in the user's language."""


class Refusal(Exception):
    """A rule of the offices forbids the step. `code` is stable for programs, the message is for people."""

    def __init__(self, code: str, message: str, *, field: str | None = None):
        super().__init__(str(message))
        self.code, self.message, self.field = code, message, field
