"""Records carry a checksum of their content, and are held against themselves: what was altered never enters a table."""

import copy
import json
from dataclasses import replace
from pathlib import Path

import invented
import pytest
import tiny
from command_line import PROJECT, inside
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snnlib.arms import hash_of
from snnlib.lab import records, sealing, status
from snnlib.lab.experiments import TABLES
from snnlib.report import printing, tables, verdicts

PUBLISHED = sorted(Path(PROJECT, "data", "records").glob("*/*/*/seed-*.json"))
ARM = replace(tiny.ALTERNATING, train=replace(tiny.TRAIN, epochs=20))


def pruned(arm=ARM, **changes):
    """A record of a run that left 456-134-45 and noted its counts."""
    widths = [456, 134, 45]
    gates = [
        [1.25e-3 * (index + 1)] * kept + [0.0] * (full - kept)
        for index, (kept, full) in enumerate(zip(widths, invented.FULL))
    ]
    share = 100 * (1 - (456 * 134 + 134 * 45 + 45 * 10) / 266200)
    result = invented.result(
        widths=widths, effective_widths=list(widths), removed_pct=share, effective_pct=share, macs=67584, gates=gates
    )
    result["start_removed_pct"] = 50.0
    rows = [
        {"epoch": epoch, "phase": "both", "loss": 0.5, "accuracy": 0.9, "seconds": 1.0, "pruned": [328, 166, 55]}
        for epoch in range(arm.train.epochs)
    ]
    return invented.record(arm, **{"result": result, "history": rows, **changes})


def test_a_record_comes_back_whole_and_its_factors_to_five_digits():
    record = pruned()
    record["result"]["gates"][0][:3] = [0.12345, 1.2345e-7, 12.345]
    assert sealing.decode(sealing.encode(record)) == record


@pytest.mark.skipif(not PUBLISHED, reason="no records here")
def test_every_published_record_agrees_with_itself():
    """And they are small enough to be cloned: some seven kilobytes each, and two thousand are planned."""
    for path in PUBLISHED:
        records.read(path)
    size = sum(path.stat().st_size for path in PUBLISHED)
    assert size < 14e6 and size / len(PUBLISHED) < 7e3


@pytest.mark.parametrize("key", sorted(set(pruned()) - {"version"}))
def test_whatever_is_changed_without_a_new_checksum_is_named(tmp_path, key):
    path = tmp_path / "seed-0.json"
    sealed = json.loads(sealing.encode(pruned()))
    path.write_text(json.dumps(sealed | {key: {"another": 1} if isinstance(sealed[key], dict) else 7}))
    with pytest.raises(records.FileError, match=r"seed-0.json is not as a run wrote it: .* checksum"):
        records.read(path)


def test_space_and_the_order_of_keys_are_no_content():
    sealed = json.loads(sealing.encode(pruned()))
    assert sealing.decode(json.dumps(dict(reversed(sealed.items())), indent=4).encode()) == pruned()


def changed(*keys, to):
    """A record with another value at ``keys``, and a checksum that fits."""
    record = copy.deepcopy(pruned())
    place = record
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = to
    return record


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (changed("settings", "train", "rate", to=0.2), "settings are not those of its hash"),
        (changed("settings_hash", to="0" * 12), "settings are not those of its hash"),
        (pruned() | {"history": pruned()["history"][:10]}, "its history has 10 epochs, its settings 20"),
        (changed("result", "widths", to=[1, 1, 1]), "widths"),
        (changed("result", "widths", to=[457, 134, 45]), "not those of its factors"),
        (changed("result", "full_widths", to=[784, 300, 101]), "not those of its factors"),
        (changed("result", "gates", 0, 700, to=1.0), "not those of its factors"),
        (changed("history", 19, "pruned", to=[328, 166, 54]), "not those of its history"),
        (changed("result", "accuracy", to=981.0), "accuracy 981.0 is not the one of its history"),
        (changed("result", "accuracy", to="98.1"), "accuracy is str"),
        (changed("result", "best_accuracy", to=91.0), "best_accuracy"),
        (changed("result", "removed_pct", to=74.5), "removed_pct 74.5"),
        (changed("result", "effective_widths", to=[457, 134, 45]), "widths"),
        (changed("result", "macs", to=300000), "of 266200 multiplications"),
        (changed("history", 3, "accuracy", to=1.2), "epoch 3"),
        (changed("history", 3, "pruned", to=[-1, 0, 0]), "epoch 3"),
        (changed("seconds", to=float("nan")), "nan seconds"),
        (changed("seed", to=True), "seed is bool"),
        (changed("status", to="failed"), "it failed, but"),
        (pruned() | {"status": "failed", "result": None}, "no message"),
        (pruned() | {"status": "failed", "result": None, "error": {"message": 3}}, "no message"),
        (changed("result", "start_removed_pct", to=101), "start_removed_pct 101"),
        (pruned() | {"result": invented.result(gates=[[1.0] * width for width in invented.FULL])}, "at the start"),
        (pruned() | {"status": "done"}, "status is 'done'"),
        (pruned() | {"result": None}, "no result"),
        (pruned() | {"off": {"times": ["start"], "widths": [784, 300, 100], "bits": "eJwDAAAAAAE="}}, "were off"),
        (pruned() | {"off": {"times": ["start"], "widths": [784, 300, 100], "bits": "?"}}, "another form"),
        (pruned() | {"off": 5}, "another form"),
    ],
)  # fmt: skip
def test_what_does_not_agree_with_the_rest_is_named_in_spite_of_a_checksum(tmp_path, record, said):
    path = tmp_path / "seed-0.json"
    records.write(path, record)
    with pytest.raises(records.FileError, match=said):
        records.read(path)


def test_an_altered_record_is_named_by_status_and_enters_no_table(tmp_path, capsys):
    arm, better = TABLES["2"].arms["smoke"][0], b"0.97"
    path = records.path_of(arm, "smoke", 0, tmp_path)
    records.write(path, invented.record(arm, profile="smoke", accuracy=89.0))
    assert tables.rows("2", "smoke", tmp_path)[-1].n == 1 or any(
        row.n == 1 for row in tables.rows("2", "smoke", tmp_path)
    )
    content = path.read_bytes()
    assert b"0.89" in content
    path.write_bytes(content.replace(b"0.89", better).replace(b"89.0", b"97.0"))
    code, text, _ = inside(capsys, "status", "--records", tmp_path)
    assert code == 1 and "1 broken" in text and f"{path} is not as a run wrote it" in text
    stray = path.with_name("seed-99.json")
    path.rename(stray)
    code, text, _ = inside(capsys, "status", "--records", tmp_path)
    assert code == 1 and f"in no table: {stray} is not as a run wrote it" in text
    stray.rename(path)
    code, text, _ = inside(capsys, "table", "2", "--profile", "smoke", "--records", tmp_path)
    assert code == 0 and "97.0" not in text and "is not as a run wrote it" in text


def test_the_format_is_described_whole():
    text = Path(PROJECT, "data", "README.md").read_text(encoding="utf-8")
    for key in (*sealing.KINDS, *sealing.MEASURED, "version", "checksum", "started", "code", "off"):
        assert f"`{key}`" in text, key


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10**6), st.floats(), st.text(max_size=3), st.just([]), st.just({})
)


def leaves(value, path=()):
    """The keys that lead to each part of a record, long lists by their ends alone."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in [*items][:6] if isinstance(value, list) else items:
        yield from leaves(part, (*path, key))


@pytest.fixture(scope="module")
def arms():
    return {arm.name: arm for arm in TABLES["2"].arms["paper"]}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_spoiled_record_ends_in_a_sentence_never_in_a_traceback(tmp_path_factory, arms, data):
    """Whatever is changed, with a checksum that fits: it is refused by name, or tables and verdicts go on."""
    root = tmp_path_factory.mktemp("spoiled")
    for name in ("dense", "snn-al-epoch"):
        arm = arms[name]
        record = pruned(arm, profile="paper") if arm.switcher else invented.record(arm, profile="paper")
        if name == "snn-al-epoch":
            *keys, last = data.draw(st.sampled_from([path for path in leaves(record) if path]))
            place = record
            for key in keys:
                place = place[key]
            if data.draw(st.booleans()):
                place[last] = data.draw(LEAVES)
            else:
                del place[last]
            if "settings" in keys:
                record["settings_hash"] = hash_of(record["settings"])
        try:
            records.write(records.path_of(arm, "paper", 0, root), record)
        except (TypeError, ValueError, AttributeError, KeyError):
            return  # no such record can be written
    assert printing.markdown(tables.rows("2", "paper", root)) and status.problems("2", "paper", root)
    if records.look_up(arms["snn-al-epoch"], "paper", 0, root).state != "broken":
        assert verdicts.all_verdicts(root)
