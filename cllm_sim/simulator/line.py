"""Who waits for what, in order of arrival.

Rules of this file: numbers only. Items are what an actor may wait for; what they stand for is the caller's business.
"""

from itertools import count


class Line:
    """Who waits for what, in order of arrival. An actor may wait for several items at once."""

    def __init__(self) -> None:
        self.items: dict[int, dict[int, None]] = {}
        self._joined: dict[int, tuple[int, ...]] = {}
        self._turns: dict[int, int] = {}
        self._next = count()

    def __contains__(self, actor: int) -> bool:
        return actor in self._joined

    def join(self, actor: int, items: tuple[int, ...]) -> None:
        """Go to the end of the line before each of these."""
        self._joined[actor] = items
        self._turns[actor] = next(self._next)
        for item in items:
            self.items.setdefault(item, {})[actor] = None

    def leave(self, actor: int) -> None:
        """Stop waiting; nothing happens to who does not wait."""
        for item in self._joined.pop(actor, ()):
            del self.items[item][actor]
            if not self.items[item]:
                del self.items[item]

    def of(self, item: int) -> tuple[int, ...]:
        """All who wait for an item, the first to come first."""
        return tuple(self.items.get(item, ()))

    def turn(self, actor: int) -> int:
        """When an actor joined last, as a number that grows."""
        return self._turns[actor]
