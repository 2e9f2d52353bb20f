"""The DASH manifest of a presentation that has ended, where FFmpeg could not say so itself."""

import re
from xml.etree import ElementTree

_NAMESPACE = "{urn:mpeg:dash:schema:mpd:2011}"
_OF_DYNAMIC = re.compile(
    r"\s+(?:minimumUpdatePeriod|suggestedPresentationDelay|availabilityStartTime|publishTime|timeShiftBufferDepth"
    r'|availabilityTimeComplete)="[^"]*"'
)
"""What FFmpeg leaves out of a static one."""


def ended(text: str, last: int) -> str:
    """A manifest that tells players not to wait for more (``type``, ISO/IEC 23009-1, 5.3.1); a static one as it is.

    Args:
        text: As FFmpeg wrote it.
        last: The highest number of a segment, where the manifest does not list them.
    """
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return text
    templates = list(root.iter(f"{_NAMESPACE}SegmentTemplate"))
    if root.get("type") != "dynamic" or not templates:
        return text
    length = max(_end_s(template, last) for template in templates)
    static = f'type="static"\n\tmediaPresentationDuration="PT{length:.1f}S"'
    return _OF_DYNAMIC.sub("", text).replace('type="dynamic"', static, 1)


def _end_s(template: ElementTree.Element, last: int) -> float:
    timescale = int(template.get("timescale", 1))
    timeline = template.find(f"{_NAMESPACE}SegmentTimeline")
    if timeline is None:
        return last * int(template.get("duration", 0)) / timescale
    end = 0
    for run in timeline:
        end = int(run.get("t", end)) + int(run.get("d", 0)) * (int(run.get("r", 0)) + 1)
    return end / timescale
