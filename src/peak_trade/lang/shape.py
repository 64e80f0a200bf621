"""Whether a text has the shape of a specification, and if not, where and why not."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from peak_trade.lang import document
from peak_trade.lang.misfit import Misfit, misfits
from peak_trade.lang.read import Marks, glean
from peak_trade.lang.read import Path as Place
from peak_trade.lang.source import Findings, nearest, shown, suggestion

ROUNDS_MAX = 4

_SCALARS: dict[str, Any] = {"machine": "unnamed", "version": 1, "summary": "?"}
_ROW: dict[str, Any] = {"on": "x", "reason": "x"}
_STANDING_IN: dict[str, dict[str, Any]] = {
    "context": {"type": "bool", "init": False, "doc": "?"},
    "payload": {"type": "bool", "doc": "?"},
    "states": {"doc": "?"},
    "events": {"origin": "environment", "doc": "?"},
    "transitions": {"id": "x", "from": "x", "on": "x"},
    "ignore": {"in": "x"} | _ROW,
    "refuse": {"in": "x"} | _ROW,
    "properties": {"id": "x", "always": "true", "says": "?"},
}
"""What takes the place of a misshapen part, so that the others can be judged."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The parts of a source, their places, the data, and the paths of the parts that are stand-ins."""

    part: document.MachinePart
    marks: Marks
    data: dict[str, Any]
    lost: frozenset[Place]


def shape(findings: Findings) -> Shape | None:
    """Return the parts of the source, or None iff diagnostics say why it has none that can be judged.

    A misshapen part is reported; a misspelt key is read as the key it is most like, any other such part is replaced
    by a stand-in and listed as lost.
    """
    readable = glean(findings)
    if readable is None:
        return None
    data, marks = readable
    fitter = _Fitter(findings, marks, data, copy.deepcopy(data))
    for _ in range(ROUNDS_MAX):
        try:
            part = document.MachinePart.model_validate(fitter.data)
        except ValidationError as error:
            if not fitter.fit(error):
                return None
        else:
            if fitter.nulls():
                continue
            return Shape(part, marks, data, frozenset(fitter.lost))
    return None


@dataclass(slots=True)
class _Fitter:
    """Reports what does not fit, and makes the rest fit."""

    findings: Findings
    marks: Marks
    raw: Any
    data: Any
    lost: set[Place] = field(default_factory=set)

    def fit(self, error: ValidationError) -> bool:
        """Report every misfit; return true iff what is left of the data can be judged."""
        found = misfits(error, self.data)
        extras = {item.path for item in found if item.kind == "unknown"}
        for item in sorted(found, key=lambda item: item.kind == "missing"):
            if self.findings.full:
                return False
            if not (item.kind == "missing" and self._misspelt(item.path, extras)):
                self._report(item)
        inner = sorted(found, key=lambda item: (-len(item.path), item.kind == "key"))
        mended = [self._mend(item) for item in inner]
        return all(mended)

    def nulls(self) -> bool:
        """Report each key without a value; return true iff there was one."""
        paths = [path for path, value in _leaves(self.data, ()) if value is None]
        for path in paths:
            place = self.marks.key(path)
            if not self.findings.at(place):
                message = f"expected a value for {shown(str(path[-1]))}, was nothing"
                self.findings.add("PT012", place, message, "write a value, or delete the key")
            self._replace(path)
        return bool(paths)

    def _report(self, item: Misfit) -> None:
        path, key = item.path, str(item.path[-1]) if item.path else ""
        place = self.marks.key(path) if item.kind in ("unknown", "key") else self.marks.at(path)
        if item.kind == "missing":
            place = self.marks.at(path[:-1])
            self.findings.add("PT011", place, f"expected the key `{key}`, was not there", "add it")
        elif self.findings.at(place):
            return
        elif item.kind == "unknown":
            hint = suggestion(key, document.keys(path)) or "delete it"
            self.findings.add("PT010", place, f"unknown key {shown(key)}", hint)
        elif item.kind in ("key", "name"):
            message = f"{shown(key if item.kind == 'key' else item.value)} is not a name"
            self.findings.add("PT013", place, message, "letters, digits and `_`, a letter first")
        else:
            self.findings.add("PT012", place, item.message)

    def _misspelt(self, path: Place, extras: set[Place]) -> bool:
        """Return true iff a missing key stands there under a misspelt name, which is reported already."""
        others = [str(extra[-1]) for extra in extras if extra[:-1] == path[:-1]]
        return any(nearest(other, document.keys(path)) == path[-1] for other in others)

    def _mend(self, item: Misfit) -> bool:
        path = item.path
        if item.kind == "unknown":
            return self._rename(path)
        if item.kind == "key":
            self._holder(path).pop(path[-1], None)
            return True
        if item.kind == "missing" and self._holder(path).get(path[-1]) is not None:
            return True
        return self._replace(path)

    def _rename(self, path: Place) -> bool:
        holder, key = self._holder(path), str(path[-1])
        if key not in holder:
            return True
        value, meant = holder.pop(key), nearest(key, document.keys(path))
        if meant and meant not in holder:
            holder[meant] = value
            self.marks.rename(path, (*path[:-1], meant))
            if len(path) == 1:
                self.raw[meant] = copy.deepcopy(value)
        elif path[0] in ("transitions", "ignore", "refuse") and len(path) == 3:
            self._replace(path)
        return True

    def _replace(self, path: Place) -> bool:
        """Put a stand-in where the smallest part around `path` was; return false iff there is none."""
        if not path or path[0] not in self.data:
            return self._scalar(path)
        section, item = path[0], path[:2]
        if len(path) < 2 or section not in {*_STANDING_IN, "reasons", "enums"}:
            return self._scalar(path)
        if section in ("reasons", "enums"):
            self._set(item, "?" if section == "reasons" else ["x"])
        elif section == "events" and len(path) >= 4 and path[2] == "payload":
            item = path[:4]
            self._set(item, _STANDING_IN["payload"])
        elif section in ("states", "events"):
            self._keep_rest(path)
            if path[2:] != ("payload",):
                return True
        else:
            self._set(item, _STANDING_IN[str(section)])
        self.lost.add(path[:3] if path[2:] == ("payload",) else item)
        return True

    def _keep_rest(self, path: Place) -> None:
        """Let a state or event be what it is without the part at `path`."""
        found = self._holder((*path[:2], "x")) if len(path) > 2 else None
        rest = {key: value for key, value in (found or {}).items() if key != path[2]}
        self._set(path[:2], _STANDING_IN[str(path[0])] | rest)
        self.lost.add(path[:3])

    def _scalar(self, path: Place) -> bool:
        if len(path) == 1 and path[0] in _SCALARS:
            self.data[path[0]] = _SCALARS[str(path[0])]
            return True
        return False

    def _holder(self, path: Place) -> Any:  # noqa: ANN401 - YAML holds any data
        """Return what holds the last step of `path`; something empty if a mistake around it is mended already."""
        found = self.data
        for step in path[:-1]:
            inside = step in found if isinstance(found, dict) else isinstance(found, list) and int(step) < len(found)
            found = found[step] if inside else {}
        return found if isinstance(found, dict | list) else {}

    def _set(self, path: Place, value: Any) -> None:  # noqa: ANN401 - YAML holds any data
        self._holder(path)[path[-1]] = copy.deepcopy(value)


def _leaves(data: Any, path: Place) -> Iterator[tuple[Place, Any]]:  # noqa: ANN401 - YAML holds any data
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else None
    if items is None:
        yield path, data
    for key, value in items or ():
        yield from _leaves(value, (*path, key))
