"""The page of settings: read from the source, with the reasons that stand beside the fields."""

import dataclasses
import re

import pytest

import snnlib
from book.workflow import ROOT, settings
from snnlib import arms, config

SOURCE = '''
@dataclass(frozen=True)
class Small:
    """A small one."""

    rate: float = 0.1  # fixed: as the text says
    # open; "a" or
    # "b", whichever
    kind: Literal["a", "b"] = "a"
    train: Other = field(default_factory=Other)
    name: str | None


class Other:
    size: int = 1
'''


def test_a_field_has_its_type_default_and_reason():
    assert settings.fields(SOURCE, "Small") == [
        ("rate", "float", "0.1", "fixed: as the text says"),
        ("kind", "Literal['a', 'b']", "'a'", 'open; "a" or "b", whichever'),
        ("train", "Other", "Other()", ""),
        ("name", "str | None", "required", ""),
    ]
    assert list(settings.classes(SOURCE)) == ["Small"]
    assert settings.table(SOURCE, "Small")[-1] == "| `name` | `str \\| None` | required |  |"


def test_the_table_says_which_fields_arms_alone_read():
    source = settings.FILES[0].read_text(encoding="utf-8")
    assert settings.read_by_arms(source) == config.ARM_ALONE
    rows = {row.split("`")[1]: row for row in settings.table(source, "TrainConfig")[2:]}
    assert {name for name, row in rows.items() if "read by arms alone" in row} == set(config.ARM_ALONE)
    assert "data.first(n)" in rows["train_images"] and settings.read_by_arms(SOURCE) == {}


def test_the_page_lists_every_dataclass_and_every_field():
    listed = re.findall(r"{settings} (\w+)", (ROOT / "book" / "settings.md").read_text(encoding="utf-8"))
    held = {}
    for file, module in zip(settings.FILES, (config, arms)):
        source = file.read_text(encoding="utf-8")
        held |= dict.fromkeys(settings.classes(source), (source, module))
    assert sorted(listed) == sorted(held)
    for name, (source, module) in held.items():
        assert [row[0] for row in settings.fields(source, name)] == [
            field.name for field in dataclasses.fields(getattr(module, name))
        ]


@pytest.mark.parametrize("name", [name for name in snnlib.__all__ if not name.startswith("_")])
def test_the_reference_names_what_is_public(name):
    assert f"`{name}`" in (ROOT / "book" / "reference.md").read_text(encoding="utf-8")
