"""What a cloud must be able to do for the guard, and how it says no. A provider is one file beside this one."""

from __future__ import annotations

from typing import Protocol

from meta.gpu.nouns import Instance, Offer


class ProviderError(Exception):
    """The cloud did not do it. With `refused` it is certain that nothing was created; otherwise it is unknown.

    With `passing` the same call may work a little later.
    """

    def __init__(self, code: str, message: str, *, refused: bool = False, passing: bool = True) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.refused, self.passing = code, refused, passing


class Provider(Protocol):
    name: str
    active: float  # seconds from request to active that are usual here at most

    def offers(self) -> dict[str, Offer]: ...
    def list(self) -> list[Instance]:
        """Every instance that exists, ours or not; one that is terminated does not."""
        ...

    def launch(self, name: str, offer: Offer, region: str, ssh_key: str) -> str:
        """The id of the one instance that was created under this name."""
        ...

    def terminate(self, id: str) -> None: ...
