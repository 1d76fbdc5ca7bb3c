"""Results keep to the committed schema, and the committed reference results are what the code still produces.

`python tests/test_results.py` writes the references anew (after a change that is meant).
"""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cllm_sim import check, results
from cllm_sim.library import shipped

REFERENCE = Path(__file__).parent.parent / "reports" / "reference"
SCHEMA = json.loads((Path(results.__file__).parent / "result.schema.json").read_text(encoding="utf-8"))
CHANGING = ("environment", "seconds", "wall_seconds", "command", "file")


def reference(name: str) -> dict[str, Any]:
    """The check of a shipped architecture with two workers, without what differs between machines."""
    data = {key: value for key, value in check(name, workers=2).data.items() if key not in CHANGING}
    folder = str(shipped()[name].parent)
    kept: dict[str, Any] = json.loads(json.dumps(data).replace(folder + "/", ""))
    return kept


@pytest.mark.parametrize("name", sorted(shipped()))
def test_reference_results_are_what_the_checker_says(name: str) -> None:
    stored = json.loads((REFERENCE / f"{name}-check.json").read_text(encoding="utf-8"))
    assert reference(name) == stored


@pytest.mark.parametrize("name", ["node_zero", "early_reduce", "lost_remainder", "model_lock"])
def test_check_results_fit_the_schema(name: str) -> None:
    jsonschema.validate(json.loads(check(name, workers=2).to_json()), SCHEMA)


def test_schema_refuses_a_result_that_lacks_a_field() -> None:
    data = json.loads(check("serial").to_json())
    del data["promises"]
    with pytest.raises(jsonschema.ValidationError, match="promises"):
        jsonschema.validate(data, SCHEMA)


@pytest.mark.parametrize(
    ("codes", "expected"), [([0, 0], 0), ([0, 3], 3), ([3, 1], 1), ([1, 2], 2), ([2, 4, 1], 4), ([], 0)]
)
def test_worst_exit_code_keeps_the_precedence(codes: list[int], expected: int) -> None:
    assert results.worst(codes) == expected


def test_unknown_field_is_named() -> None:
    with pytest.raises(AttributeError, match="no field 'verdcit'"):
        _ = check("serial").verdcit


def write_references() -> None:
    """Write all reference results."""
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name in shipped():
        text = json.dumps(reference(name), indent=1, ensure_ascii=False) + "\n"
        (REFERENCE / f"{name}-check.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_references()
