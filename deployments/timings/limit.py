"""How many reports one address may send, without keeping addresses.

A process counts by a number that it derives from the address with a secret of its own and forgets
after a minute. Addresses may share a number: a report too few is better than an address kept.
"""

PER_MINUTE = 60
NUMBERS = 4096


class Limit:
    """At most PER_MINUTE reports by number; `admits` counts one."""

    def __init__(self) -> None:
        self._minute = -1
        self._counts = bytearray(NUMBERS)

    def admits(self, network: str, now: float) -> bool:
        """Whether a network may send another report at a time in seconds."""
        minute = int(now // 60)
        if minute != self._minute:
            self._minute, self._counts = minute, bytearray(NUMBERS)
        counts, number = self._counts, hash(network) % NUMBERS  # Python's hash has a random key
        if counts[number] >= PER_MINUTE:
            return False
        counts[number] += 1
        return True
