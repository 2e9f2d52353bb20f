"""Each kind of source, codec and output, through the command that an operator's line-up gives, read by others."""

from collections.abc import Callable
from typing import Any

import pytest
from conformance_cases import CASES, Case, expectations, renditions
from conformance_figures import Reading, Row, worst
from conformance_rig import Rig, media_time
from feeds import FEEDS
from takers import TAKERS

from transcoder_tui.errors import HostFault
from transcoder_tui.models.channel import ChannelSpec

NAME = "Conformance 1"


@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.name, marks=[pytest.mark.quick] if case.quick else []) for case in CASES]
)
def test_what_arrives_conforms(case: Case, rig: Rig, write_row: Callable[[Row], None]) -> None:
    try:
        readings = _measured(case, rig)
    except HostFault as fault:
        # An FFmpeg that was built without an encoder is no fault of ours, as long as it is said.
        reason = str(fault)
        if "no encoder" not in reason:
            raise
        write_row(Row(case.name, rig.binary.release, {}, reason))
        pytest.skip(reason)
    row = Row(case.name, rig.binary.release, worst(readings))
    write_row(row)

    assert row.faults == [], [str(fault) for fault in row.faults]


def _measured(case: Case, rig: Rig) -> list[Reading]:
    takers = [TAKERS[kind](rig) for kind in case.outputs]
    source = FEEDS[case.source](rig)
    rungs = renditions(case)
    outputs: list[dict[str, Any]] = [
        taker.output if taker.ladder else {**taker.output, "rendition": rungs[-1]["name"]} for taker in takers
    ]
    spec = ChannelSpec.model_validate({"name": NAME, "sources": [source], "renditions": rungs, "outputs": outputs})
    with rig.channel(spec) as run:
        media_time(run, case.seconds)
    expected = expectations(case, spec)
    readings = []
    for taker, output in zip(takers, spec.outputs, strict=True):
        readings += taker.measure(spec, output, expected if taker.ladder else expected[-1:])
    return readings
