"""What a table of experiments is: arms and seeds, in profiles of different sizes."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...arms import Arm

PROFILES = {
    "smoke": "one or two seeds, two epochs of few images: only shows that everything runs",
    "quick": "three seeds, few epochs of part of the images: a reduced run",
    "paper": "8 paired seeds (3 seeds of the largest networks) on the whole data set, for a number of epochs fixed "
    "beforehand",
    "whole": "the whole data set in as few epochs as will do, 1 to 8 paired seeds by the network's size: fewer "
    "epochs than in the profile paper, settings from a search",
    "authors": "rivals as their own authors train them, one seed, for as many epochs as they say",
    "map": "short held-out runs that show which settings train at all",
    "search": "held-out runs from which the default settings were chosen",
}


@dataclass(frozen=True)
class Table:
    """One table of the paper, or one of ours: its arms and its seeds in each profile.

    Arms of different networks may have the same name. ``reference`` is the arm, of the same data set and network, that
    paired differences are taken from; ``references`` names another one for some arms.
    """

    name: str
    title: str
    arms: dict[str, tuple[Arm, ...]]  # by profile
    seeds: dict[str, tuple[int, ...]]  # by profile
    reference: str
    references: dict[str, str] = field(default_factory=dict[str, str])  # by arm
    # by profile, then by network: so many seeds at most
    fewer_seeds: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])

    def reference_of(self, arm: str) -> str:
        """The name of the arm that ``arm`` is compared with; a reference itself is compared with nothing."""
        return self.references.get(arm, self.reference)

    @property
    def networks(self) -> list[str]:
        """The networks of the arms, in their order; one that a later profile adds stands behind that which it follows
        there."""
        found: list[str] = []
        for arms in self.arms.values():
            place = 0
            for network in dict.fromkeys(arm.network for arm in arms):
                if network not in found:
                    found.insert(place, network)
                place = found.index(network) + 1
        return found

    def seeds_of(self, arm: Arm, profile: str) -> tuple[int, ...]:
        """The seeds of ``arm`` in ``profile``."""
        return self.seeds[profile][: self.fewer_seeds.get(profile, {}).get(arm.network)]

    def runs(self, profile: str) -> list[tuple[Arm, int]]:
        """Every arm with each of its seeds, seed by seed, so that an unfinished table has whole pairs."""
        return [
            (arm, seed)
            for seed in self.seeds[profile]
            for arm in self.arms[profile]
            if seed in self.seeds_of(arm, profile)
        ]


def arm_of(table: Table, profile: str, name: str, network: str | None = None) -> Arm:
    """The arm called ``name`` in a profile, of ``network`` or the first one; ``KeyError`` if there is none."""
    for arm in table.arms[profile]:
        if arm.name == name and network in (None, arm.network):
            return arm
    raise KeyError(name)
