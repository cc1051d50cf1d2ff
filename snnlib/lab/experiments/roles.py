"""The rule by which settings are chosen from the trials of a search, role by role."""

ROLES = {
    "dense": "the highest accuracy",
    "given": "the highest accuracy at the size that the study gives",
    **{
        role: f"the highest accuracy with at least {role} % of the weights removed; where there is none, the most "
        "weights removed"
        for role in ("60", "75", "90")
    },
    "accurate": "the highest accuracy with at least 5 % of the weights removed",
    "knee": "the most weights removed within 0.1 points of the tuned dense network; where there is none, the "
    "accurate one",
    "sparse": "the highest accuracy with at least 74.6 % of the weights removed, the paper's share; where there is "
    "none, the most weights removed",
    "compact": "the highest accuracy with at least 60 % of the weights removed; where there is none, the most "
    "weights removed",
    "unstopped": "the highest accuracy with at least 60 % of the weights removed, among settings whose switcher "
    "learns to the end as in the paper; where there is none, the most weights removed",
    "front": "every other setting with fresh seeds that none beats in both accuracy and weights removed: nothing is "
    "chosen there",
}
"""The rule of the choice. On held-out images: the best of the last rung by it are trained again on three fresh seeds,
and the one that is best by it in the mean of these is chosen. Written on 2026-11-25, before any trial of the second
rung was run. A small search has no fresh seeds: the best of its last rung is chosen (written later that day, before any
trial of such a search). "compact" was added when "knee" and "unstopped" had both come out as the accurate setting,
which removes little: after the last rung of the MLP was seen, before its own candidates were trained on fresh seeds,
and before any test run. It came out as the sparse one; "front" was added then, still before any test run: it leaves
nothing out that the search has confirmed."""

LEAST_PCT = {"accurate": 5.0, "compact": 60.0, "sparse": 74.6, "unstopped": 60.0, "60": 60.0, "75": 75.0, "90": 90.0}
WITHIN = 0.1
"""The numbers in :data:`ROLES`: percent of the weights by role, and points."""
